"""Write keys: only their hashes are kept, and compared in constant time."""

from __future__ import annotations

import hmac
from hashlib import sha256

from pipeline.collector.refusal import Refusal
from pipeline.errors import ConfigurationError

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="touchline"'}


class WriteKeys:
    """The keys that may send, from a comma-separated setting. Raises ConfigurationError when there is none."""

    def __init__(self, setting: str) -> None:
        given = [key.strip() for key in setting.split(",") if key.strip()]
        if not given:
            raise ConfigurationError("TOUCHLINE_WRITE_KEYS: set at least one write key, comma-separated")
        self._hashes = tuple(sha256(key.encode()).digest() for key in given)

    def check(self, authorization: str | None) -> None:
        """Return for `Bearer <one of the keys>`. Raises a Refusal with status 401 else."""
        scheme, _, key = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            message = "send the header Authorization: Bearer <write key>"
            raise Refusal(401, "key_missing", message, _CHALLENGE)
        presented = sha256(key.strip().encode("latin-1", "replace")).digest()
        known = [hmac.compare_digest(presented, each) for each in self._hashes]
        if not any(known):
            raise Refusal(401, "key_unknown", "this write key is not known here", _CHALLENGE)
