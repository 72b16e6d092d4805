"""What every endpoint asks before it takes events in: whose key, how much at once, how fast."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Mapping

from pipeline.collector.gate import Admission, Gate
from pipeline.collector.key_watch import KeyWatch
from pipeline.collector.keys import Key
from pipeline.collector.limiter import Limiter
from pipeline.collector.refusal import Refusal


class Entry:
    """The keys, the gate and the limits of one collector."""

    def __init__(self, keys: KeyWatch, limiter: Limiter, gate: Gate) -> None:
        self._keys = keys
        self._limiter = limiter
        self._gate = gate

    def key(self, headers: Mapping[str, str], source: str, *, public: bool = False) -> Key:
        """Return the key of a request that comes in by this source; `public` says whether public ones are taken.

        Raises a Refusal: 401 without a key that is good now, 403 for one that is not for this place.
        """
        keys = self._keys.current(time.monotonic())
        key = keys.check(headers.get("authorization"), headers.get("origin"), public=public)
        if not key.allows_source(source):
            fix = f"this key may not be used here: it is for the sources {', '.join(key.sources)}"
            raise Refusal(403, "source", fix, key_id=key.id)
        return key

    def admit(self, key: Key) -> Admission:
        """Let one request of the key in. Raises a Refusal with status 429 when it has too much in flight."""
        return self._gate.admit(key.id)

    def admit_source(self, name: str) -> Admission:
        """Let one request of a webhook's source in, whose sender is not known yet: sources share as keys do."""
        return self._gate.admit(f"webhook {name}")

    def spend(self, key: Key, events: int) -> None:
        """Count events against the key's rate, whatever becomes of them.

        Raises a Refusal with status 429 when they are too many now; it says when they would fit.
        """
        wait = self._limiter.take(key, events, time.monotonic())
        if wait:
            seconds = math.ceil(wait)
            message = f"more events than this key may send: send the same again in {seconds} s"
            raise Refusal(429, "rate", message, {"Retry-After": str(seconds)}, key.id)

    def origins(self) -> Collection[str]:
        """Every origin that some key may be used from."""
        return self._keys.current(time.monotonic()).origins
