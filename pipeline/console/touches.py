"""The rows that the front desk adds up, as the engine writes them. Pure.

Moments are RFC 3339 in UTC to the millisecond: as texts they sort as in time. A whole number comes without a fraction.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

Number = int | float


class Touch(msgspec.Struct, frozen=True, gc=False):
    """A row of view person_touches."""

    customer_id: str
    anonymous_id: str | None
    event_id: str
    occurred_at: str
    channel: str
    touchpoint: str
    stage: str
    direction: str
    outcome: str | None
    sentiment: Number | None
    rating_metric: str | None
    rating_score: Number | None
    value: Number | None
    currency: str | None
    reference: str | None
    bought: int
    effect: str

    @property
    def place(self) -> tuple[str, str]:
        """Its place among a person's touchpoints: by time, then by id."""
        return self.occurred_at, self.event_id

    @property
    def is_inbound(self) -> bool:
        """Whether the customer came to us."""
        return self.direction == "inbound"

    @property
    def subject(self) -> tuple[str, str]:
        """The issue it is about, if it is about one: that of its reference, or of its channel where it has none."""
        return ("channel", self.channel) if self.reference is None else ("reference", self.reference)


class Alert(msgspec.Struct, frozen=True, gc=False):
    """A row of alerts_log: an alert (`status` raised), or what became of the one it is `about`."""

    alert_id: str
    level: str
    raised_at: str
    score: Number
    status: str
    about: str | None
    attempted_at: str
    by: str | None
    until: str | None


def moment(text: str) -> datetime:
    """The moment that the engine wrote."""
    return datetime.fromisoformat(text)
