"""Making a key: from what somebody asks for to the key itself, which is shown once, and what is kept of it."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from urllib.parse import urlsplit

from pipeline.catalogue import catalogue
from pipeline.collector.keys import PUBLIC_CHANNELS, Key
from pipeline.errors import UsageError

_RANDOM_BYTES = 32
_SOURCE = re.compile("[a-z0-9][a-z0-9_.-]{0,63}")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Wish:
    """What a key shall be good for, as somebody typed it."""

    name: str
    channels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    public: bool = False
    app: bool = False
    rate: float | None = None
    burst: int | None = None
    expires_at: datetime | None = None


def make(wish: Wish, now: datetime, taken: Iterable[str] = ()) -> tuple[str, Key]:
    """Return a new key and what is kept of it, with an id not `taken`. Raises UsageError for a wish that cannot be."""
    _refuse_impossible(wish, now)
    secret = ("pk_" if wish.public else "wk_") + secrets.token_urlsafe(_RANDOM_BYTES)
    known = set(taken)
    while (identity := f"key_{secrets.token_hex(4)}") in known:
        pass
    return secret, Key(
        id=identity,
        name=wish.name,
        sha256=sha256(secret.encode()).hexdigest(),
        last4=secret[-4:],
        created_at=now,
        public=wish.public,
        channels=_once(wish.channels) or (PUBLIC_CHANNELS if wish.public else ()),
        sources=_once(wish.sources),
        origins=_once(map(origin_of, wish.origins)),
        app=wish.app,
        rate=wish.rate,
        burst=wish.burst,
        expires_at=wish.expires_at,
    )


def origin_of(text: str) -> str:
    """Return an origin as browsers write it. Raises UsageError for what is none."""
    try:
        parts = urlsplit(text.strip().lower())
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    plain = host and host.isascii() and "*" not in host and parts.path in {"", "/"}
    if not plain or parts.scheme not in _PORTS or parts.query or parts.fragment or parts.username is not None:
        raise UsageError(f"--origin {text!r}: write scheme, host and port if any, like https://shop.example")
    shown = f"[{host}]" if ":" in str(host) else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port and port != _PORTS[parts.scheme] else "")


def _refuse_impossible(wish: Wish, now: datetime) -> None:
    if not (0 < len(wish.name) <= 100 and wish.name.isprintable()):
        raise UsageError("--name: give 1 to 100 printable characters, to know the key by")
    for channel in wish.channels:
        _refuse_channel(channel, wish.public)
    for source in wish.sources:
        if not _SOURCE.fullmatch(source):
            raise UsageError(f"--source {source!r}: write its name as in /v1/webhooks/NAME, or http")
    if wish.rate is not None and not math.isfinite(wish.rate):
        raise UsageError("--rate: give a number of events a second, or leave it out")
    if wish.expires_at is not None and wish.expires_at <= now:
        raise UsageError("--expires lies in the past: the key would never be good")
    if not wish.public and (wish.origins or wish.app):
        raise UsageError("--origin and --app are for keys in browsers and apps: add --public")
    if wish.public and wish.sources:
        raise UsageError("--source: a public key is for /v1/touchpoints only; leave it out, or leave --public out")
    if wish.public and not (wish.origins or wish.app):
        raise UsageError("--public: say where the key will be used, with --origin https://shop.example or --app")


def _refuse_channel(channel: str, public: bool) -> None:
    if channel not in catalogue().channels:
        near = ", ".join(catalogue().nearest_channels(channel) or catalogue().channels)
        raise UsageError(f"--channel {channel!r} is not a channel: try {near}")
    if public and channel not in PUBLIC_CHANNELS:
        raise UsageError(f"--channel {channel}: a public key may send {', '.join(PUBLIC_CHANNELS)} only")


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(texts))
