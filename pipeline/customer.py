"""The pure core of the customers agent: one customer's new touchpoints folded into that customer's state.

`fold` gives the same live journeys, visits and profile for any order of arrival and any chunk boundaries, of
touchpoints no older than the history before the customer's latest, with any duplicates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from pipeline import journeys as sessions
from pipeline import profile as profiles
from pipeline import risk, rows
from pipeline.catalogue import RATING_RANGES
from pipeline.journeys import Changes, Gaps
from pipeline.model import ContractError, Record
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
    model: risk.Compiled

    @classmethod
    def of(cls, settings: Settings) -> Rules:
        """The rules that the settings and the shipped model ask for."""
        gaps = Gaps(settings.visit_gap_minutes * 60_000, settings.journey_gap_days * 24 * _HOUR)
        return cls(gaps, settings.history_days * 24 * _HOUR, risk.default_model())


class Folded(NamedTuple):
    """What a fold came to: the new state, and the records to publish."""

    state: State
    journeys: list[Record]
    customer: Record
    risk: list[Record]


class Touch(NamedTuple):
    """A touchpoint as the fold takes it: its offset in the log, where it stands in time, and its fields."""

    offset: int
    step: Step
    record: Record


_LONGEST = (("customer_id", 205), ("channel", 64), ("touchpoint", 64), ("stage", 64), ("currency", 8))


def touch_of(offset: int, record: Record) -> Touch:
    """Check what a fold relies on. Raises ContractError with the field and the fix.

    Events from the collector always pass; those written straight to Kafka may not.
    """
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


def fold(customer_id: str, state: State | None, epoch: int, touches: Sequence[Touch], rules: Rules) -> Folded | None:
    """Apply what is past the state's position, in the order of the log; None when nothing changed.

    The state passed in is changed and must not be used again. Duplicates and touchpoints older than the history
    change nothing.
    """
    if state is None:
        _, step, _ = touches[0]
        state = State(-1, -1, step[0], 0, [], [], b"", [], Profile(step[0], step))
    work = _Fold(state, epoch, rules)
    work.apply(touches)
    return work.finish(customer_id) if work.last else None


@lru_cache(maxsize=4096)
def _name(channel: str, touchpoint: str) -> str:
    return f"{channel}.{touchpoint}"


class _Fold:
    """One customer's fold under way."""

    def __init__(self, state: State, epoch: int, rules: Rules) -> None:
        self.state = state
        self.epoch = epoch
        self.rules = rules
        self.seen = Seen(state.hours, state.counts, state.seen)
        self.changes = Changes()
        self.risk: list[Record] = []
        self.last: Record | None = None
        self._assessed: risk.Risk | None = None
        self._horizon_before = state.latest - rules.history

    def apply(self, touches: Sequence[Touch]) -> None:
        """Apply what is past the state's position, but for duplicates and what comes too late.

        The moment of scoring is each touchpoint's arrival.
        """
        state, seen, epoch, history = self.state, self.seen, self.epoch, self.rules.history
        profile, model = state.profile, self.rules.model
        for offset, step, record in touches:
            moment = step[0]
            if epoch <= state.epoch and offset <= state.offset:
                continue
            key = key_of(step[1])
            if moment < state.latest - history or moment < state.floor or key in seen:
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
            if level != state.level:
                self.risk.append(self._change(record, state.level))
                state.level = level

    def _add_to_journeys(self, step: Step, record: Record) -> None:
        changes, profile = self.changes, self.state.profile
        visits, journeys = changes.visits_delta, changes.journeys_delta
        sessions.add(self.state.journeys, step, record, self.rules.gaps, changes)
        profile.visits += changes.visits_delta - visits
        profile.journeys += changes.journeys_delta - journeys

    def _risk(self, record: Record) -> risk.Risk:
        """The risk at the arrival of the last touchpoint applied."""
        if self._assessed is None:
            self._assessed = risk.assess(self.state.profile, record["received_at"], self.rules.model)
        return self._assessed

    def _change(self, record: Record, previous: str | None) -> Record:
        return {
            "customer_id": record["customer_id"],
            "revision": revision_of(self.epoch, self.state.offset),
            **rows.risk_fields(self._risk(record)),
            "previous_level": previous,
            "event_id": record["event_id"],
            "imported": record["import_id"] is not None,
        }

    def finish(self, customer_id: str) -> Folded:
        """Write the rows of what changed, then forget what cannot change any more."""
        state, last = self.state, self.last
        assert last is not None  # noqa: S101 (a fold that applied nothing is not finished)
        revision = revision_of(self.epoch, state.offset)
        journeys = list(rows.journey_rows(customer_id, revision, self.changes))
        customer = rows.customer_row(customer_id, revision, state.profile, self._risk(last))
        horizon = state.latest - self.rules.history
        if horizon // _HOUR > self._horizon_before // _HOUR:
            self.seen.forget(horizon)
            sessions.forget(state.journeys, horizon, self.rules.gaps)
        state.seen = bytes(self.seen.keys)
        return Folded(state, journeys, customer, self.risk)
