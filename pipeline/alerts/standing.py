"""What is remembered of one customer's alerts, as bytes between records. Times are UTC milliseconds."""

from __future__ import annotations

import msgspec

from pipeline.model import Record
from pipeline.reasons import ABSENCE


class Change(msgspec.Struct, array_like=True, frozen=True):
    """A change of risk, as far as an alert tells of it; `reasons` are code, points and text."""

    as_of: int
    score: float
    level: str
    previous_level: str | None
    reasons: list[tuple[str, float, str]]
    action: str
    model_version: str
    imported: bool = False
    channels: list[str] = []
    segment: str | None = None
    value: float | None = None
    lasting: bool = True

    @property
    def absent(self) -> bool:
        """Whether the main reason is that the customer stays away."""
        return next((code for code, points, _ in self.reasons if points > 0), None) in ABSENCE

    @classmethod
    def of(cls, record: Record) -> Change:
        """From a record of topic `risk`."""
        return cls(
            as_of=record["as_of"],
            score=record["score"],
            level=record["level"],
            previous_level=record["previous_level"],
            reasons=[(reason["code"], reason["points"], reason["text"]) for reason in record["reasons"]],
            action=record["action"],
            model_version=record["model_version"],
            imported=record["imported"],
            channels=record.get("channels") or [],
            segment=record.get("segment"),
            value=record.get("value"),
            lasting=record["lasting"],
        )


class Standing(msgspec.Struct, array_like=True, frozen=True):
    """How a customer stands: the last alert, whether it is open, and a change held back for now.

    `risk_at` and `orders_at` are the epoch and offset of the last record applied of either topic. Level, channels,
    segment and value are the last alert's, so that its end is told to whom it was told.
    """

    alert_id: str | None = None
    level: str | None = None
    raised_at: int = 0
    is_open: bool = False
    acknowledged_at: int | None = None
    snoozed_until: int = 0
    held: Change | None = None
    risk_at: tuple[int, int] = (-1, -1)
    orders_at: tuple[int, int] = (-1, -1)
    channels: list[str] = []
    segment: str | None = None
    value: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing that the next decision needs to know."""
        return self.alert_id is None and self.held is None and not self.snoozed_until


NOBODY = Standing()
"""A customer of whom nothing is remembered."""

_decoder = msgspec.msgpack.Decoder(Standing)
_encoder = msgspec.msgpack.Encoder()


def load(value: bytes | None) -> Standing:
    """The standing kept as these bytes; of nothing, nobody's."""
    return NOBODY if value is None else _decoder.decode(value)


def dump(standing: Standing) -> bytes:
    """The bytes that `load` reads."""
    return _encoder.encode(standing)
