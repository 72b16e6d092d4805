"""Write keys: who may send what from where. Only their hashes are kept."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated

import msgspec

from pipeline.collector.credentials import CHALLENGE, presented
from pipeline.collector.refusal import Refusal

PUBLIC_CHANNELS = ("web", "mobile_app", "link")
"""What a public key may send at the most: it lies open in a browser or an app."""

_Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Rate = Annotated[float, msgspec.Meta(gt=0)]
_Count = Annotated[int, msgspec.Meta(ge=1)]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A write key without the key itself: `sha256` is the hash of its 256 random bits.

    Without channels or sources it is good for all of them. `rate` is in events a second; None takes the default of
    the settings. `app` lets a public key be used without an Origin, as apps do.
    """

    id: str
    name: str
    sha256: _Hash
    last4: str
    created_at: _Moment
    public: bool = False
    channels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    app: bool = False
    rate: _Rate | None = None
    burst: _Count | None = None
    expires_at: _Moment | None = None
    revoked_at: _Moment | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for a public key that is good for more than PUBLIC_CHANNELS, or for nobody."""
        if self.public and not (self.channels and set(self.channels) <= set(PUBLIC_CHANNELS)):
            raise ValueError(f"a public key needs channels of {', '.join(PUBLIC_CHANNELS)}, and may have no other")
        if self.public and not (self.origins or self.app):
            raise ValueError("a public key needs an origin, or must be for apps")

    def allows_source(self, source: str) -> bool:
        """Tell whether it is good for this way in: `http` (the emitter included) or the name of a webhook's source."""
        return not self.sources or source in self.sources

    def allows_origin(self, origin: str | None) -> bool:
        """Tell whether a page of this origin may use it, None being no page; a secret key is not bound to origins."""
        if not self.public:
            return True
        return self.app if origin is None else origin in self.origins

    def status(self, now: datetime) -> str:
        """Return active, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class Keys:
    """The keys known at one moment."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_hash = {bytes.fromhex(key.sha256): key for key in keys}
        usable = [key for key in self._by_hash.values() if key.revoked_at is None]
        self.origins = frozenset(origin for key in usable for origin in key.origins)
        """Every origin that some key may be used from."""

    def __len__(self) -> int:
        return sum(key.revoked_at is None for key in self._by_hash.values())

    def check(self, authorization: str | None, origin: str | None, *, public: bool = False) -> Key:
        """Return the key that an Authorization header presents; `public` says whether public ones are taken here.

        Raises a Refusal: 401 without a key that is good now, 403 where it may not be used. A key is found by its
        hash, so what time that takes says nothing of any key.
        """
        key = self._by_hash.get(sha256(presented(authorization)).digest())
        if key is None:
            raise Refusal(401, "key_unknown", "this write key is not known here", CHALLENGE)
        if key.revoked_at is not None or key.expires_at is not None:
            _refuse_past(key, datetime.now(UTC))
        if key.public:
            _refuse_elsewhere(key, origin, public)
        return key


def _refuse_past(key: Key, now: datetime) -> None:
    status = key.status(now)
    if status != "active":
        fix = f"this write key is {status}: ask for another"
        raise Refusal(401, f"key_{status}", fix, CHALLENGE, key.id)


def _refuse_elsewhere(key: Key, origin: str | None, public: bool) -> None:
    if not public:
        raise Refusal(403, "key_public", "a public key is not taken here: use a secret one", key_id=key.id)
    if not key.allows_origin(origin):
        fix = "this key may not be used without an Origin" if origin is None else f"not from {origin[:200]}"
        raise Refusal(403, "origin", f"{fix}: it is for {', '.join((*key.origins, *_app(key)))}", key_id=key.id)


def _app(key: Key) -> tuple[str, ...]:
    return ("apps",) if key.app else ()


def keys_of_setting(setting: str) -> list[Key]:
    """Return the keys of a comma-separated setting: good for everything, without a limit, called env-1 and so on."""
    given = [key.strip() for key in setting.split(",") if key.strip()]
    made = datetime.fromtimestamp(0, UTC)
    return [
        Key(
            id=f"env-{number}",
            name="TOUCHLINE_WRITE_KEYS",
            sha256=sha256(key.encode()).hexdigest(),
            last4=key[-4:],
            created_at=made,
            rate=math.inf,
        )
        for number, key in enumerate(given, 1)
    ]
