"""The read key: who shows it may see customers, and give orders about alerts."""

from __future__ import annotations

import hmac
from hashlib import sha256

from pipeline.collector.refusal import Refusal

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="touchline"'}
_UNSET = "set TOUCHLINE_READ_KEY, and start the collector again: without it nobody is let in here"


class ReadKey:
    """Compares what is presented with the key, in a time that tells nothing about it."""

    def __init__(self, read_key: str) -> None:
        self._key = sha256(read_key.encode()).digest() if read_key else None

    @property
    def is_set(self) -> bool:
        """Whether there is a key at all."""
        return self._key is not None

    def check_header(self, authorization: str | None) -> None:
        """Let a request with `Authorization: Bearer <read key>` pass. Raises Refusal for any other."""
        scheme, _, key = (authorization or "").partition(" ")
        if not self._is(key.strip().encode("latin-1", "replace")) or scheme.lower() != "bearer":
            raise Refusal(401, "key_unknown", "send the header Authorization: Bearer <read key>", _CHALLENGE)

    def matches(self, presented: str) -> bool:
        """Whether this is the key. Raises Refusal when no key is set, which no key can match."""
        return self._is(presented.encode("utf-8", "replace"))

    def secret(self, purpose: str) -> bytes:
        """A secret for a purpose, the same as long as the key is. Raises Refusal when no key is set."""
        return hmac.digest(self._known(), purpose.encode(), "sha256")

    def _is(self, presented: bytes) -> bool:
        return hmac.compare_digest(sha256(presented).digest(), self._known())

    def _known(self) -> bytes:
        if self._key is None:
            raise Refusal(401, "key_missing", _UNSET, _CHALLENGE)
        return self._key
