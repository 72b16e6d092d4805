"""What is remembered of one customer between touchpoints: small, complete, and the same in any order of arrival.

A state is kept as bytes (MessagePack, written by msgspec) and made into these objects only while it is being folded.
Times are UTC milliseconds; an `id` is the sixteen bytes of an event_id, whose order is that of its text.
"""

from __future__ import annotations

import msgspec

Step = tuple[int, bytes, str]
"""Time, id and `channel.touchpoint` of one touchpoint; tuples order as touchpoints do: by time, ties by event_id."""

Signal = tuple[int, int, bytes, str]
"""Time, kind (see pipeline.signals), id and `channel.touchpoint` of what speaks for or against leaving."""

Answer = tuple[int, bytes, float, str]
"""Time, id, value and `channel.touchpoint` of a rating or a mood."""

Contact = tuple[int, bytes, str, str, int]
"""Time, id, `channel.touchpoint`, channel and checksum of the reference (0: none) of a customer's request."""


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

    `signals` holds the newest of each kind; `answers` the two latest by metric, newest first, moods among them;
    `contacts` the newest. `cancelled_at` and `returned_at` are the latest goodbye and the latest purchase or renewal;
    `onboarding_at` and `settled_at` the latest step of an onboarding, and what shows that one is over. `day`, `days`,
    `calm` and `calm_at` are the calendar of pipeline.rhythm. `segment` is the latest that a touchpoint named, with its
    time and id.
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
    answers: dict[str, list[Answer]] = {}
    signals: list[Signal] = []
    cancelled_at: int | None = None
    returned_at: int | None = None
    contacts: list[Contact] = []
    onboarding_at: int | None = None
    settled_at: int | None = None
    day: int = 0
    days: bytes = b""
    calm: bytes = b""
    calm_at: int | None = None
    segment: tuple[int, bytes, str] | None = None


class State(msgspec.Struct, array_like=True):
    """All that is remembered of one customer.

    `epoch` and `offset` are the log position of the last touchpoint applied: what is not past it has been applied.
    `latest` is the time of the latest touchpoint; what is older than it by more than the history, or older than
    `floor`, comes too late. `seen` holds eight bytes per remembered touchpoint, grouped by `hours` with `counts`.
    `rebuilt` is the revision before which all that had landed has been taken in, late or not; None: never rebuilt.
    `level` and `lasting` are those of the last change of risk published (`pipeline.risk.is_lasting`).
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
    lasting: bool = True


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(State)
_profile_decoder = msgspec.json.Decoder(Profile)


def dump(state: State) -> bytes:
    """The state as bytes."""
    return _encoder.encode(state)


def load(data: bytes) -> State:
    """The state from bytes, those of earlier layouts too. Raises msgspec.DecodeError for bytes that are no state."""
    from pipeline import earlier  # noqa: PLC0415 (it is made of these classes)

    try:
        state = _decoder.decode(data)
    except msgspec.ValidationError:
        return earlier.state_of(data)
    if not state.profile.days and state.profile.inbound:
        earlier.with_calendar(state.profile)
    return state


def load_profile(text: bytes | str) -> Profile:
    """The profile from its JSON, that of earlier layouts too. Raises msgspec.DecodeError for any other text."""
    from pipeline import earlier  # noqa: PLC0415

    try:
        profile = _profile_decoder.decode(text)
    except msgspec.ValidationError:
        return earlier.profile_of(text)
    return profile if profile.days or not profile.inbound else earlier.with_calendar(profile)
