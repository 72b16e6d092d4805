"""Rebuilding a customer, pure: all touchpoints that have landed, in order of time, so that none of them is late.

A rebuild has a beginning and an end in the log of touchpoints (`pipeline.requests`). What stands before the beginning
comes from ClickHouse and is folded here, outside the agent. What stands after it the agent keeps aside (`Hold`) while
it goes on as before, and folds over the rebuilt state at the end. So live traffic neither stops nor waits, and the
result is that of one fold in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from math import inf
from uuid import UUID

import msgspec

from pipeline import reasons, risk, rows
from pipeline import state as states
from pipeline.customer import Folded, Rules, Touch, fold, revision_of, touch_of
from pipeline.journeys import Changes
from pipeline.model import Record
from pipeline.requests import Begin
from pipeline.state import Profile, State

HELD_BYTES = 400_000
"""How much is kept aside for one customer; a rebuild that takes longer than that has to begin anew."""
MOST_VISITS = 1_000
"""Visits that one row of a journey carries: about 60 KB of a record of Kafka."""
HELD_MS = 3_600_000
"""How long touchpoints are kept aside: whoever asked for the rebuild must have gone."""


class Hold(msgspec.Struct, array_like=True):
    """A rebuild under way: where in the log it began, and the touchpoints since, by offset, as they came.

    `known` are the first touchpoints of the journeys and visits published before it began, which the rebuild itself
    takes back where they are wrong. Once it is closing, its rows are published and nothing else, its end is in the log,
    and `since` are the first touchpoints of what had been published after it began.
    """

    rebuild_id: str
    epoch: int
    offset: int
    requested_at: int
    known: list[bytes]
    since: list[bytes] | None = None
    touches: list[tuple[int, bytes]] = []

    @classmethod
    def begin(cls, request: Begin, epoch: int, offset: int, current: State | None) -> Hold:
        """What to remember when a rebuild begins at this place in the log."""
        return cls(request.rebuild_id, epoch, offset, request.requested_at, sorted(_firsts(current)))

    @property
    def closing(self) -> bool:
        """Whether the rebuild's rows are being published."""
        return self.since is not None

    def close(self, current: State | None) -> None:
        """Note that from here on only the rebuild's rows are published."""
        if self.since is None:
            self.since = sorted(_firsts(current) - set(self.known))

    def keeps(self, now: int) -> bool:
        """Whether it is still worth keeping, at a moment in UTC milliseconds."""
        return sum(len(value) for _, value in self.touches) < HELD_BYTES and now - self.requested_at < HELD_MS


def _firsts(state: State | None) -> set[bytes]:
    """The first touchpoints, from which ids are made, of a state's journeys and visits."""
    journeys = state.journeys if state is not None else []
    return {journey.first for journey in journeys} | {visit.first for journey in journeys for visit in journey.visits}


class Rebuilt(msgspec.Struct):
    """What a rebuild came to: the state (None: nothing is left), and every journey, live and taken back."""

    state: State | None
    journeys: list[Record]
    touchpoints: int


def rebuild(  # noqa: PLR0913 (what a rebuild depends on, each once)
    customer_id: str,
    records: Iterable[Record],
    rules: Rules,
    *,
    now: float = inf,
    old_journeys: Set[str] = frozenset(),
    old_visits: Set[str] = frozenset(),
) -> Rebuilt:
    """Fold a customer's records anew, in order of time whatever theirs; the rows' revision is the agent's to set.

    What of the old ids of live journeys and visits is not among the new ones is taken back. Records that a fold would
    refuse are left out, as the agent did.
    """
    touches = _in_order(records, now)
    folded = fold(customer_id, None, 0, touches, rules, forgetting=True) if touches else None
    journeys = folded.journeys if folded else []
    gone_visits = old_visits - {visit["visit_id"] for row in journeys for visit in row["changed_visits"]}
    gone_journeys = old_journeys - {row["journey_id"] for row in journeys}
    journeys += _taken_back(customer_id, gone_journeys, gone_visits, journeys)
    return Rebuilt(folded.state if folded else None, [part for row in journeys for part in _parts(row)], len(touches))


def _parts(row: Record) -> Iterator[Record]:
    """The row as often as it takes to carry its visits: a record of Kafka has a limit, a journey has none."""
    visits = row["changed_visits"]
    yield {**row, "changed_visits": visits[:MOST_VISITS]}
    for first in range(MOST_VISITS, len(visits), MOST_VISITS):
        yield {**row, "changed_visits": visits[first : first + MOST_VISITS]}


def _in_order(records: Iterable[Record], now: float) -> list[Touch]:
    touches = []
    for record in records:
        try:
            touches.append(touch_of(0, record, now))
        except ValueError:
            continue  # the agent has made a dead letter of it
    touches.sort(key=lambda touch: touch.step)
    return [touch._replace(offset=place) for place, touch in enumerate(touches)]


def _taken_back(
    customer_id: str, journeys: Set[str], visits: Set[str], published: Sequence[Record]
) -> Iterator[Record]:
    """Rows that take journeys and visits back; visits travel with a journey, so a live one may have to come again."""
    withdrawn = [rows.withdrawn_visit(visit) for visit in sorted(visits)]
    for journey in sorted(journeys):
        yield rows.withdrawn_journey(customer_id, 0, journey, withdrawn)
        withdrawn = []
    if withdrawn and published:
        published[0]["changed_visits"] += withdrawn


def take_over(  # noqa: PLR0913 (what the end of a rebuild depends on, each once)
    customer_id: str,
    current: State | None,
    rebuilt: State | None,
    hold: Hold,
    *,
    held: Sequence[Touch],
    position: tuple[int, int],
    now: int,
    rules: Rules,
) -> Folded:
    """Put the rebuilt state in place of the current one, at the request's position (epoch, offset) in the log.

    The touchpoints held since the rebuild began are folded over it. Everything the new state knows is published; what
    has been published since the beginning, or by the rebuild, and is not so any more, is taken back. Risk is scored for
    `now`, and a change of level says that it was imported: a rebuild never notifies.
    """
    changes = Changes()
    for journey in rebuilt.journeys if rebuilt is not None else ():
        changes.restructure(journey)
    hold.close(current)
    changes.old_journeys.update(hold.since or ())
    changes.old_visits.update(hold.since or ())
    state = rebuilt
    if state is not None:
        state.epoch, state.offset = hold.epoch, hold.offset
    late: list[Record] = []
    if held:
        folded = fold(customer_id, state, hold.epoch, held, rules, forgetting=False)
        if folded is not None:
            state, late = folded.state, folded.late
    before = current.level if current is not None else None
    state = state or _nothing(now)
    changes.journeys = {id(journey): journey for journey in state.journeys}
    changes.visits = {id(visit): visit for journey in state.journeys for visit in journey.visits}
    revision = revision_of(*position)
    state.epoch, state.offset = position
    state.rebuilt = revision_of(hold.epoch, hold.offset) if late else revision
    assessed = reasons.assess(state.profile, now, rules.model)
    journeys = list(rows.journey_rows(customer_id, revision, changes))
    customer = rows.customer_row(customer_id, revision, state, assessed, rules.history)
    levels: list[Record] = []
    state.level = assessed.level
    if current is not None and assessed.level == before:
        state.lasting = current.lasting  # so what it finds lasting is told by the next touchpoint
    else:
        state.lasting = risk.is_lasting(state.profile, assessed.level, now, rules.model)
    if assessed.level != before and not is_empty(state):
        change = rows.risk_row(
            customer_id,
            revision,
            assessed,
            state.profile,
            previous=before,
            lasting=state.lasting,
            event_id=str(UUID(bytes=state.profile.last[1])),
            imported=True,
        )
        levels.append(change)
    return Folded(state, journeys, customer, levels, late)


def is_empty(state: State) -> bool:
    """Whether nothing is left of a customer."""
    return state.profile.inbound + state.profile.outbound == 0


def _nothing(now: int) -> State:
    step = (now, bytes(16), "")
    return State(-1, -1, now, 0, [], [], b"", [], Profile(now, step))


def load_state(data: bytes) -> State | None:
    """The state that a request carries, None for an empty one. Raises ValueError for bytes that are none."""
    try:
        return states.load(data) if data else None
    except msgspec.MsgspecError as error:
        raise ValueError(f"the request's state cannot be read: {error}") from error


_hold_encoder = msgspec.msgpack.Encoder()
_hold_decoder = msgspec.msgpack.Decoder(Hold)


def dump_hold(hold: Hold) -> bytes:
    """The hold as bytes."""
    return _hold_encoder.encode(hold)


def load_hold(data: bytes) -> Hold:
    """The hold from bytes that `dump_hold` wrote."""
    return _hold_decoder.decode(data)
