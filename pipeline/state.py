"""What is remembered of one customer between touchpoints: small, complete, and the same in any order of arrival.

A state is kept as bytes (MessagePack, written by msgspec) and made into these objects only while it is being folded.
Times are UTC milliseconds; an `id` is the sixteen bytes of an event_id, whose order is that of its text.
"""

from __future__ import annotations

import msgspec

Step = tuple[int, bytes, str]
"""Time, id and `channel.touchpoint` of one touchpoint; tuples order as touchpoints do: by time, ties by event_id."""

Signal = tuple[int, int, float]
"""Time, kind (see pipeline.signals) and magnitude of something that speaks for or against leaving."""


class Visit(msgspec.Struct, array_like=True, gc=False):
    """Inbound touchpoints with no silence longer than the visit gap. `first` is the id of the earliest."""

    started_at: int
    ended_at: int
    first: bytes
    touchpoints: int


class Journey(msgspec.Struct, array_like=True):
    """Visits with no silence longer than the journey gap, and what their touchpoints add up to.

    `visits` holds those that a late touchpoint may still change; `closed_visits` counts the others. `path` holds the
    first touchpoints in order, so `path[0]` is the journey's first one. Sums are integers, so that their order cannot
    matter: money in ten-thousandths, sentiment in millionths.
    """

    visits: list[Visit]
    path: list[Step]
    last: Step
    channels: list[str]
    stages: list[str]
    touchpoints: int = 0
    closed_visits: int = 0
    truncated: bool = False
    converted_at: int | None = None
    values: dict[str, int] = {}
    sentiment_sum: int = 0
    sentiment_count: int = 0
    sentiment_min: float | None = None
    escalations: int = 0
    unresolved: int = 0

    @property
    def started_at(self) -> int:
        """First touchpoint."""
        return self.path[0][0]

    @property
    def ended_at(self) -> int:
        """Last touchpoint so far."""
        return self.last[0]

    @property
    def first(self) -> bytes:
        """Id of the first touchpoint, from which the journey has its own."""
        return self.path[0][1]


class Profile(msgspec.Struct, array_like=True):
    """The customer in numbers, over all time: what risk is computed from.

    `signals` holds the newest of each kind; `ratings` the latest answer by metric with its time and id. `cancelled_at`
    and `returned_at` are the latest goodbye and the latest purchase or renewal.
    """

    first_seen_at: int
    last: Step
    last_inbound_at: int | None = None
    first_inbound_at: int | None = None
    inbound: int = 0
    outbound: int = 0
    visits: int = 0
    journeys: int = 0
    purchases: int = 0
    values: dict[str, int] = {}
    sentiment_sum: int = 0
    sentiment_count: int = 0
    ratings: dict[str, tuple[int, bytes, float]] = {}
    signals: list[Signal] = []
    cancelled_at: int | None = None
    returned_at: int | None = None


class State(msgspec.Struct, array_like=True):
    """All that is remembered of one customer.

    `epoch` and `offset` are the log position of the last touchpoint applied: what is not past it has been applied.
    `latest` is the time of the latest touchpoint; what is older than it by more than the history, or older than
    `floor`, comes too late. `seen` holds eight bytes per remembered touchpoint, grouped by `hours` with `counts`.
    `rebuilt` is the revision before which all that had landed has been taken in, late or not; None: never rebuilt.
    """

    epoch: int
    offset: int
    latest: int
    floor: int
    hours: list[int]
    counts: list[int]
    seen: bytes
    journeys: list[Journey]
    profile: Profile
    level: str | None = None
    rebuilt: int | None = None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)


def dump(state: State) -> bytes:
    """The state as bytes."""
    return _encoder.encode(state)


def load(data: bytes) -> State:
    """The state from bytes. Raises msgspec.DecodeError for bytes that `dump` did not write."""
    return _decoder.decode(data)
