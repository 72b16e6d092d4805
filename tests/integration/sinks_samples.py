"""Records of every contract, and the blocks that landing would make of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.block import bodies, container
from schemas.codec import HEADER_BYTES, Encoder
from schemas.contracts import latest

EPOCH, PARTITION = 7, 3
START = 1_750_000_000_000
DAY = 86_400_000

Sample = dict[str, Any]


@dataclass
class Value:
    """A record of Kafka as far as a block needs it."""

    offset: int
    value: bytes

    def with_body(self, body: bytes) -> Value:
        """Return the same record with another body."""
        return Value(self.offset, self.value[:HEADER_BYTES] + body)

    @property
    def body(self) -> bytes:
        return self.value[HEADER_BYTES:]


def uid(*parts: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, parts))))


REASON = {"code": "unresolved", "points": 12.5, "text": "two contacts stayed unresolved"}


def touchpoint(number: int, **fields: Any) -> Sample:
    return {
        "event_id": uid("event", number),
        "customer_id": f"customer-{number % 10}",
        "anonymous_id": None,
        "occurred_at": START + number * 1000,
        "received_at": START + number * 1000 + 50,
        "channel": "web",
        "touchpoint": "page_view",
        "stage": "consideration",
        "direction": "inbound",
        "outcome": None,
        "sentiment": None,
        "rating_metric": None,
        "rating_score": None,
        "value": 12.5,
        "currency": "EUR",
        "duration_ms": 1200,
        "wait_ms": None,
        "reference": f"order-{number}",
        "staff_id": None,
        "campaign": "spring",
        "partner": None,
        "attributes": {"page": "/", "gerät": "über"},
        "source": "http",
        "import_id": None,
        **fields,
    }


def visit(number: int, **fields: Any) -> Sample:
    return {
        "visit_id": uid("visit", number),
        "started_at": START,
        "ended_at": START + 1000,
        "touchpoints": 2,
        "withdrawn": False,
        **fields,
    }


def journey(number: int, **fields: Any) -> Sample:
    return {
        "customer_id": f"customer-{number}",
        "journey_id": uid("journey", number),
        "revision": 1,
        "withdrawn": False,
        "started_at": START,
        "ended_at": START + 1000,
        "visits": 1,
        "touchpoints": 2,
        "channels": ["web"],
        "stages": ["purchase"],
        "path": ["web.page_view", "web.purchase"],
        "first_channel": "web",
        "last_channel": "web",
        "converted_at": None,
        "value": None,
        "currency": None,
        "values": {"EUR": 12.5},
        "sentiment_avg": None,
        "sentiment_min": -0.5,
        "escalations": 0,
        "unresolved": 0,
        "truncated": False,
        "changed_visits": [visit(number)],
        **fields,
    }


def customer(number: int, **fields: Any) -> Sample:
    return {
        "customer_id": f"customer-{number}",
        "revision": 1,
        "first_seen_at": START,
        "last_seen_at": START,
        "last_inbound_at": None,
        "touchpoints": 1,
        "inbound": 1,
        "visits": 1,
        "journeys": 1,
        "last_channel": "web",
        "purchases": 0,
        "values": {"EUR": 12.5},
        "sentiment_avg": None,
        "nps": 3.0,
        "csat": None,
        "ces": None,
        "score": 55.0,
        "level": "medium",
        "reasons": [REASON],
        "action": "call back",
        "model_version": "1",
        "scored_at": START,
        "profile": "{}",
        **fields,
    }


def risk(number: int, **fields: Any) -> Sample:
    return {
        "customer_id": f"customer-{number}",
        "revision": 1,
        "as_of": START,
        "score": 55.0,
        "level": "medium",
        "previous_level": None,
        "reasons": [REASON],
        "action": "call back",
        "model_version": "1",
        "event_id": uid("event", number),
        "imported": False,
        "evidence": [
            {
                "code": "complaint",
                "event_id": uid("event", number),
                "touchpoint": "phone.complaint",
                "occurred_at": START,
            },
            {"code": "complaint", "event_id": None, "touchpoint": "", "occurred_at": START},
        ],
        "channels": ["phone"],
        "segment": "gold",
        "value": 12.5,
        **fields,
    }


def rejected(number: int, **fields: Any) -> Sample:
    return {
        "dead_letter_id": uid("letter", number),
        "event_id": None,
        "code": "body",
        "path": "",
        "message": "the Avro body does not fit its schema",
        "source": "landing",
        "topic": "touchpoints",
        "epoch": EPOCH,
        "partition": PARTITION,
        "offset": number,
        "rejected_at": START,
        "original": b"\x00\xff\xfe{",
        "original_length": 4,
        "original_sha256": "0" * 64,
        "import_id": None,
        "line": None,
        "version": "0",
        **fields,
    }


def alert(number: int, **fields: Any) -> Sample:
    return {
        "alert_id": uid("alert", number),
        "customer_id": f"customer-{number}",
        "raised_at": START,
        "score": 80.0,
        "level": "high",
        "reasons": [REASON],
        "action": "call back",
        "model_version": "1",
        "destination": "",
        "attempt": 0,
        "status": "raised",
        "error": None,
        "attempted_at": START,
        "previous_level": "medium",
        "about": None,
        "until": None,
        "by": None,
        "channels": ["phone"],
        "segment": None,
        "value": 99.5,
        **fields,
    }


def late(number: int, **fields: Any) -> Sample:
    """A touchpoint that came too late."""
    return {
        "customer_id": f"customer-{number}",
        "event_id": uid("event", number),
        "occurred_at": START,
        "accepted_from": START + 3_600_000,
        "reason": "history",
        "revision": number,
        "epoch": EPOCH,
        "offset": number,
        "import_id": None,
        **fields,
    }


MAKE: dict[str, Callable[..., Sample]] = {
    "touchpoints": touchpoint,
    "journeys": journey,
    "customers": customer,
    "risk": risk,
    "late": late,
    "rejected": rejected,
    "alerts": alert,
}


def values(topic: str, samples: Sequence[Sample], first: int = 0) -> list[Value]:
    """Return the samples as records at consecutive offsets."""
    encode = Encoder(topic)
    return [Value(first + index, encode(sample)) for index, sample in enumerate(samples)]


def several(topic: str, count: int, first: int = 0) -> list[Value]:
    """Return `count` different records."""
    return values(topic, [MAKE[topic](number) for number in range(first, first + count)], first)


def block(topic: str, records: Sequence[Value], epoch: int = EPOCH, partition: int = PARTITION) -> bytes:
    """Return the container that landing inserts."""
    return container(latest(topic), len(records), bodies(epoch, partition, records))
