"""Who was forgotten, without saying who: keyed hashes, what they cover of the logs, and whose later events are refused.

A customer who was forgotten stays unnamed: what is kept is HMAC-SHA256 of the Kafka key under the secret of this
installation (TOUCHLINE_FORGET_KEY). It serves for two things. What the logs still hold of the customer until retention
takes it is never folded or landed again, however a log is replayed. And, where that was asked for, later events of the
customer are refused. Whoever has the secret can ask whether an id is among them; nobody can list them.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Literal

import msgspec

from pipeline.model import FieldError, Rejected

CODE = "forgotten"
"""The reason code of an event that is refused because its customer is to stay forgotten."""
REFUSAL = Rejected(
    (FieldError(CODE, "customer_id", "this customer is to stay forgotten: send no more events of theirs"),), b""
)
"""What becomes of an event of a customer who is to stay forgotten: nothing of it is kept."""

Verdict = Literal["before", "refused"]


def hash_of(secret: str, key: bytes) -> bytes:
    """The keyed hash, 32 bytes, of a customer's Kafka key."""
    return hmac.digest(secret.encode(), key, "sha256")


class Marker(msgspec.Struct, array_like=True, frozen=True):
    """What the customers agent remembers in place of a customer.

    `epoch` and `offset` are where in the log of touchpoints the customer was forgotten: what stands up to there counts
    no more. While `is_open`, ClickHouse may still hold rows of theirs, and no rebuild may begin.
    """

    epoch: int
    offset: int
    refuse: bool
    is_open: bool

    def verdict(self, epoch: int, offset: int) -> Verdict | None:
        """What becomes of a touchpoint that stands there; None: it counts, as that of a new customer."""
        if (epoch, offset) <= (self.epoch, self.offset):
            return "before"
        return "refused" if self.refuse else None


class Entry(msgspec.Struct, frozen=True):
    """One forgotten key: whether later events are refused; by topic, the epoch and position before which all is gone.

    Of a forgetting under way `before` is empty. `forgotten_at` is UTC milliseconds.
    """

    forgotten_at: int
    refuse: bool
    before: dict[str, tuple[int, int]] = {}


class Register:
    """All forgotten keys, by their hashes. Without a secret nothing is ever found in it."""

    def __init__(self, secret: str = "", entries: Mapping[bytes, Entry] | None = None) -> None:
        self._secret = secret
        self._entries = dict(entries or {})

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, hashed: bytes, entry: Entry | None) -> None:
        """Take over what the log of forgotten keys says of a hash; None: nothing any more."""
        if entry is None:
            self._entries.pop(hashed, None)
        else:
            self._entries[hashed] = entry

    def entries(self) -> dict[bytes, Entry]:
        """All entries by hash."""
        return dict(self._entries)

    def replace(self, entries: Mapping[bytes, Entry]) -> None:
        """Take over the whole log of forgotten keys as it stands."""
        self._entries = dict(entries)

    def find(self, key: bytes | None) -> Entry | None:
        """What is known of a Kafka key."""
        if not self._entries or not self._secret or key is None:
            return None
        return self._entries.get(hash_of(self._secret, key))

    def refuses(self, key: bytes) -> bool:
        """Whether events of this customer are refused from now on."""
        found = self.find(key)
        return found is not None and found.refuse

    def verdict(self, key: bytes | None, topic: str, epoch: int, offset: int) -> Verdict | None:
        """What becomes of a record of a landed topic that stands there; None: it lands."""
        found = self.find(key)
        if found is None:
            return None
        before = found.before.get(topic)
        if before is not None and (epoch, offset) < before:
            return "before"
        return "refused" if found.refuse and topic == "touchpoints" else None


_marker_encoder = msgspec.msgpack.Encoder()
_marker_decoder = msgspec.msgpack.Decoder(Marker)
_entry_encoder = msgspec.json.Encoder()
_entry_decoder = msgspec.json.Decoder(Entry)


def dump_marker(marker: Marker) -> bytes:
    """The marker as bytes."""
    return _marker_encoder.encode(marker)


def load_marker(data: bytes) -> Marker:
    """The marker from bytes that `dump_marker` wrote."""
    return _marker_decoder.decode(data)


def dump_entry(entry: Entry) -> bytes:
    """The entry as a Kafka value."""
    return _entry_encoder.encode(entry)


def load_entry(data: bytes) -> Entry:
    """The entry from a Kafka value. Raises msgspec.DecodeError for other bytes."""
    return _entry_decoder.decode(data)
