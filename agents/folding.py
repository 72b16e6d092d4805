"""What the customers agent does to one chunk, pure: decode, fold by customer, encode.

A record that cannot be decoded or checked becomes a dead letter; all others go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from agents.chunk import Chunk
from agents.transactions import Message
from pipeline import state as states
from pipeline.customer import Rules, Touch, fold, touch_of
from pipeline.model import FieldError, LogPosition, Rejected, dead_letter
from pipeline.topics import CHANGELOG
from pipeline.validation import RECORD_LIMIT
from schemas.codec import Decoder, Encoder, UndecodableError

SOURCE = "customers"


@dataclass
class Outputs:
    """What a chunk gives, by topic, and the states it leaves; `refused` are the indexes of the records refused."""

    journeys: list[Message] = field(default_factory=list)
    customers: list[Message] = field(default_factory=list)
    risk: list[Message] = field(default_factory=list)
    rejected: list[Message] = field(default_factory=list)
    changelog: list[Message] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    def by_topic(self) -> dict[str, list[Message]]:
        """The messages under the names of their topics."""
        return {
            "journeys": self.journeys,
            "customers": self.customers,
            "risk": self.risk,
            "rejected": self.rejected,
            CHANGELOG: self.changelog,
        }


def _checked(key: bytes | None, touch: Touch) -> bytes:
    """The key, which decides the partition and so must be the customer's."""
    if key is None or key != touch.record["customer_id"].encode():
        raise ValueError("the Kafka key must be the customer_id")
    return key


class Folding:
    """Folds chunks of touchpoints; holds the codecs and the rules, and no state of any customer."""

    def __init__(self, rules: Rules, epoch: int) -> None:
        self._rules = rules
        self._epoch = epoch
        self._decode = Decoder("touchpoints")
        self._encode_journey = Encoder("journeys")
        self._encode_customer = Encoder("customers")
        self._encode_risk = Encoder("risk")
        self._encode_rejected = Encoder("rejected")

    def __call__(self, chunk: Chunk, before: Mapping[bytes, bytes], now: int) -> Outputs:
        """Fold a chunk over the states before it, which are not changed; `now` only dates dead letters."""
        out = Outputs()
        for key, touches in self._by_customer(chunk, out, now).items():
            known = before.get(key)
            state = states.load(known) if known is not None else None
            folded = fold(touches[0].record["customer_id"], state, self._epoch, touches, self._rules)
            if folded is None:
                continue
            out.journeys += [(key, self._encode_journey(row)) for row in folded.journeys]
            out.customers.append((key, self._encode_customer(folded.customer)))
            out.risk += [(key, self._encode_risk(row)) for row in folded.risk]
            out.changelog.append((key, states.dump(folded.state)))
        return out

    def _by_customer(self, chunk: Chunk, out: Outputs, now: int) -> dict[bytes, list[Touch]]:
        groups: dict[bytes, list[Touch]] = {}
        decode = self._decode
        for index, record in enumerate(chunk.records):
            try:
                if len(record.value or b"") > RECORD_LIMIT:
                    raise UndecodableError("too_large", f"a touchpoint may have {RECORD_LIMIT:,} bytes")
                touch = touch_of(record.offset, decode(record.value))
                key = _checked(record.key, touch)
                group = groups.get(key)
                if group is None:
                    groups[key] = [touch]
                else:
                    group.append(touch)
            except ValueError as error:
                out.refused.append(index)
                out.rejected.append((None, self._refuse(record, error, now)))
        return groups

    def _refuse(self, record: ConsumerRecord, error: ValueError, now: int) -> bytes:
        code = error.code if isinstance(error, UndecodableError) else "contract"
        refused = Rejected((FieldError(code, "", str(error)),), record.value or b"")
        position = LogPosition(record.topic, self._epoch, record.partition, record.offset)
        return self._encode_rejected(dead_letter(refused, SOURCE, now, position))
