"""The pure core of the customers agent: one customer's new touchpoints folded into that customer's state.

`fold` gives the same live journeys, visits and profile for any order of arrival and any chunk boundaries, of
touchpoints no older than the history before the customer's latest, with any duplicates. What comes later than that
changes nothing and is said to be late; `pipeline.rebuilding` takes it in.

What is remembered is bounded: duplicates by `seen.LIMIT`, visits by `journeys.VISIT_LIMIT`, paths by
`journeys.PATH_LIMIT`. Where one of the first two is hit, touchpoints older than what is remembered come too late
(`State.floor`, `limited_from` in the customer's row).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf
from typing import NamedTuple
from uuid import UUID

from pipeline import journeys as sessions
from pipeline import profile as profiles
from pipeline import reasons, risk, rows
from pipeline.catalogue import RATING_RANGES
from pipeline.journeys import Changes, Gaps
from pipeline.model import ContractError, Record
from pipeline.risk_model import Compiled, default_model
from pipeline.seen import Seen, key_of
from pipeline.settings import Settings
from pipeline.state import Profile, State, Step
from pipeline.validation import FUTURE_LIMIT_MS, VALUE_LIMIT

OFFSET_BITS = 38
_HOUR = 3_600_000


@dataclass(frozen=True)
class Rules:
    """What a fold depends on beside the touchpoints: gaps and history in milliseconds, and the risk model."""

    gaps: Gaps
    history: int
    model: Compiled

    @classmethod
    def of(cls, settings: Settings) -> Rules:
        """The rules that the settings and the shipped model ask for."""
        gaps = Gaps(settings.visit_gap_minutes * 60_000, settings.journey_gap_days * 24 * _HOUR)
        return cls(gaps, settings.history_days * 24 * _HOUR, default_model())


class Folded(NamedTuple):
    """What a fold came to: the new state, and the records to publish.

    `customer` is None when only late touchpoints came: then the state is as it was.
    """

    state: State
    journeys: list[Record]
    customer: Record | None
    risk: list[Record]
    late: list[Record]


class Touch(NamedTuple):
    """A touchpoint as the fold takes it: its offset in the log, where it stands in time, and its fields."""

    offset: int
    step: Step
    record: Record


_LONGEST = (("customer_id", 205), ("channel", 64), ("touchpoint", 64), ("stage", 64), ("currency", 8))


def touch_of(offset: int, record: Record, now: float = inf) -> Touch:
    """Check what a fold relies on. Raises ContractError with the field and the fix.

    Events from the collector always pass; those written straight to Kafka may not. `now` is the present moment: a clock
    that is years ahead would make everything after it come too late.
    """
    if not record["received_at"] <= now + FUTURE_LIMIT_MS:
        raise ContractError("received_at", "received_at must not lie more than 24 hours ahead: set the clock")
    for name, most in _LONGEST:
        if record[name] is not None and len(record[name]) > most:
            raise ContractError(name, f"{name} must have at most {most} characters")
    moment = record["occurred_at"]
    if not 0 <= moment <= record["received_at"] + FUTURE_LIMIT_MS:
        raise ContractError("occurred_at", "occurred_at must lie between 1970 and 24 hours after received_at")
    text = record["event_id"]
    try:
        event_id = bytes.fromhex(text.replace("-", ""))
    except ValueError:
        event_id = b""
    if len(event_id) != 16 or len(text) != 36 or not text[8] == text[13] == text[18] == text[23] == "-":
        raise ContractError("event_id", "event_id must be a UUID with hyphens")
    if (value := record["value"]) is not None and not abs(value) <= VALUE_LIMIT:
        raise ContractError("value", f"value must be a number within {VALUE_LIMIT:g} of zero")
    if (sentiment := record["sentiment"]) is not None and not -1 <= sentiment <= 1:
        raise ContractError("sentiment", "sentiment must lie between -1 and 1")
    if record["rating_metric"] is not None and not _is_rating(record["rating_metric"], record["rating_score"]):
        path = "rating_score" if record["rating_metric"] in RATING_RANGES else "rating_metric"
        raise ContractError(path, "rating_metric must be nps, csat or ces, with a rating_score in its range")
    return Touch(offset, (moment, event_id, _name(record["channel"], record["touchpoint"])), record)


def _is_rating(metric: str, score: float | None) -> bool:
    low, high = RATING_RANGES.get(metric, (0.0, -1.0))
    return score is not None and low <= score <= high


def revision_of(epoch: int, offset: int) -> int:
    """A number that grows with the log: the epoch above the offset."""
    return (epoch << OFFSET_BITS) | offset


def fold(  # noqa: PLR0913 (what a fold depends on, each once)
    customer_id: str,
    state: State | None,
    epoch: int,
    touches: Sequence[Touch],
    rules: Rules,
    *,
    forgetting: bool = True,
) -> Folded | None:
    """Apply what is past the state's position, in the order of the log; None when there was nothing new.

    The state passed in is changed and must not be used again. Duplicates change nothing, and what is older than the
    history is only said to be late. Without `forgetting`, all journeys and visits the state knows stay in it.
    """
    if state is None:
        state = fresh_state(touches[0].step)
    work = _Fold(state, epoch, rules, len(touches))
    work.apply(touches)
    if work.last is None and not work.late:
        return None
    return work.finish(customer_id, forgetting)


def fresh_state(first: Step) -> State:
    """The state of a customer of whom nothing has been applied yet; `first` is the first touchpoint to come."""
    return State(-1, -1, first[0], 0, [], [], b"", [], Profile(first[0], first))


def look(customer_id: str, state: State, position: tuple[int, int], now: int, rules: Rules) -> Folded | None:
    """Score a customer anew at a place in the log (epoch, offset); None when the level is as it was.

    `now`, UTC milliseconds, is the moment at which silence alone changes it; then nothing but the risk is other than
    before. The state passed in is changed.
    """
    assessed = reasons.assess(state.profile, now, rules.model)
    if assessed.level == state.level:
        return None
    state.epoch, state.offset = position
    revision = revision_of(*position)
    customer = rows.customer_row(customer_id, revision, state, assessed, rules.history)
    last = str(UUID(bytes=state.profile.last[1]))
    lasting = risk.is_lasting(state.profile, assessed.level, now, rules.model)
    change = rows.risk_row(
        customer_id,
        revision,
        assessed,
        state.profile,
        previous=state.level,
        lasting=lasting,
        event_id=last,
        imported=False,
    )
    state.level, state.lasting = assessed.level, lasting
    return Folded(state, [], customer, [change], [])


@lru_cache(maxsize=4096)
def _name(channel: str, touchpoint: str) -> str:
    return f"{channel}.{touchpoint}"


class _Fold:
    """One customer's fold under way."""

    def __init__(self, state: State, epoch: int, rules: Rules, touches: int) -> None:
        self.state = state
        self.epoch = epoch
        self.rules = rules
        self.seen = Seen(state.hours, state.counts, state.seen, touches)
        self.changes = Changes()
        self.risk: list[Record] = []
        self.late: list[Record] = []
        self.last: Record | None = None
        self._assessed: reasons.Risk | None = None
        self._horizon_before = state.latest - rules.history

    def apply(self, touches: Sequence[Touch]) -> None:
        """Apply what is past the state's position, but for duplicates and what comes too late.

        The moment of scoring is each touchpoint's arrival.
        """
        state, seen, epoch, history = self.state, self.seen, self.epoch, self.rules.history
        profile, model = state.profile, self.rules.model
        applied = _applied(state, epoch)
        for touch in touches:
            offset, step, record = touch
            moment = step[0]
            if offset <= applied:
                continue
            key = key_of(step[1])
            if key in seen:
                continue
            if moment < state.latest - history or moment < state.floor:
                self.late.append(self._late(touch))
                continue
            floor = seen.add(key, moment)
            if floor is not None and floor > state.floor:
                state.floor = floor
            if moment > state.latest:
                state.latest = moment
            state.epoch, state.offset = epoch, offset
            profiles.add(profile, step, record)
            if record["direction"] == "inbound":
                self._add_to_journeys(step, record)
            self.last, self._assessed = record, None
            _, level = risk.standing(profile, record["received_at"], model)
            if level != state.level or not state.lasting:
                lasting = risk.is_lasting(profile, level, record["received_at"], model)
                if level != state.level or lasting:
                    self.risk.append(self._change(record, state.level, lasting))
                state.level, state.lasting = level, lasting

    def _late(self, touch: Touch) -> Record:
        state, record = self.state, touch.record
        horizon = state.latest - self.rules.history
        return {
            "customer_id": record["customer_id"],
            "event_id": record["event_id"],
            "occurred_at": record["occurred_at"],
            "accepted_from": max(state.floor, horizon),
            "reason": "history" if touch.step[0] < horizon else "limit",
            "revision": revision_of(self.epoch, touch.offset),
            "epoch": self.epoch,
            "offset": touch.offset,
            "import_id": record["import_id"],
        }

    def _add_to_journeys(self, step: Step, record: Record) -> None:
        changes, profile = self.changes, self.state.profile
        visits, journeys = changes.visits_delta, changes.journeys_delta
        sessions.add(self.state.journeys, step, record, self.rules.gaps, changes)
        profile.visits += changes.visits_delta - visits
        profile.journeys += changes.journeys_delta - journeys

    def _risk(self, record: Record) -> reasons.Risk:
        """The risk at the arrival of the last touchpoint applied."""
        if self._assessed is None:
            self._assessed = reasons.assess(self.state.profile, record["received_at"], self.rules.model)
        return self._assessed

    def _change(self, record: Record, previous: str | None, lasting: bool) -> Record:
        revision = revision_of(self.epoch, self.state.offset)
        return rows.risk_row(
            record["customer_id"],
            revision,
            self._risk(record),
            self.state.profile,
            previous=previous,
            lasting=lasting,
            event_id=record["event_id"],
            imported=record["import_id"] is not None,
        )

    def finish(self, customer_id: str, forgetting: bool) -> Folded:
        """Write the rows of what changed, then forget what cannot change any more."""
        state, last = self.state, self.last
        if last is None:
            return Folded(state, [], None, [], self.late)
        revision = revision_of(self.epoch, state.offset)
        journeys = list(rows.journey_rows(customer_id, revision, self.changes))
        if forgetting:
            self._forget()
        state.seen = bytes(self.seen.keys)
        customer = rows.customer_row(customer_id, revision, state, self._risk(last), self.rules.history)
        return Folded(state, journeys, customer, self.risk, self.late)

    def _forget(self) -> None:
        """Forget what no touchpoint can change any more, and, beyond the limit, the oldest visits."""
        state, gaps = self.state, self.rules.gaps
        if (floor := sessions.limit(state.journeys, gaps)) is not None and floor > state.floor:
            state.floor = floor
            sessions.forget(state.journeys, floor, gaps)
        horizon = state.latest - self.rules.history
        if horizon // _HOUR > self._horizon_before // _HOUR:
            self.seen.forget(horizon)
            sessions.forget(state.journeys, horizon, gaps)


def _applied(state: State, epoch: int) -> float:
    """The offset up to which the log of this epoch has been applied."""
    if state.epoch == epoch:
        return state.offset
    return -1 if state.epoch < epoch else inf
