"""The pure core of the customers agent: one customer's new touchpoints folded into that customer's state.

`fold` gives the same live journeys, visits and profile for any order of arrival and any chunk boundaries, of
touchpoints no older than the history before the customer's latest, with any duplicates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1
from typing import NamedTuple
from uuid import UUID

import msgspec

from pipeline import journeys as sessions
from pipeline import profile as profiles
from pipeline import risk
from pipeline.catalogue import RATING_RANGES
from pipeline.journeys import MONEY, SENTIMENT, Changes, Gaps
from pipeline.model import Record
from pipeline.seen import Seen, key_of
from pipeline.settings import Settings
from pipeline.state import Journey, Profile, State, Step, Visit
from pipeline.validation import FUTURE_LIMIT_MS, VALUE_LIMIT

OFFSET_BITS = 38
_profile_encoder = msgspec.json.Encoder(order="deterministic")
_HOUR = 3_600_000
_ID_NAMESPACE = UUID("a9b5b3de-6f9b-5d57-8a70-0d8f1c0e6b52").bytes


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
    """Check what a fold relies on. Raises ValueError that names the field and the fix.

    Events from the collector always pass; those written straight to Kafka may not.
    """
    for name, most in _LONGEST:
        if record[name] is not None and len(record[name]) > most:
            raise ValueError(f"{name} must have at most {most} characters")
    moment = record["occurred_at"]
    if not 0 <= moment <= record["received_at"] + FUTURE_LIMIT_MS:
        raise ValueError("occurred_at must lie between 1970 and 24 hours after received_at")
    digits = record["event_id"].replace("-", "")
    try:
        event_id = bytes.fromhex(digits)
    except ValueError:
        event_id = b""
    if len(event_id) != 16 or len(digits) != 32:
        raise ValueError("event_id must be a UUID")
    if (value := record["value"]) is not None and not abs(value) <= VALUE_LIMIT:
        raise ValueError(f"value must be a number within {VALUE_LIMIT:g} of zero")
    if (sentiment := record["sentiment"]) is not None and not -1 <= sentiment <= 1:
        raise ValueError("sentiment must lie between -1 and 1")
    if record["rating_metric"] is not None and not _is_rating(record["rating_metric"], record["rating_score"]):
        raise ValueError("rating_metric must be nps, csat or ces, with a rating_score in its range")
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
            **_risk_fields(self._risk(record)),
            "previous_level": previous,
            "event_id": record["event_id"],
            "imported": record["import_id"] is not None,
        }

    def finish(self, customer_id: str) -> Folded:
        """Write the rows of what changed, then forget what cannot change any more."""
        state, last = self.state, self.last
        assert last is not None  # noqa: S101 (a fold that applied nothing is not finished)
        revision = revision_of(self.epoch, state.offset)
        rows = list(_journey_rows(customer_id, revision, self.changes))
        customer = _customer_row(customer_id, revision, state.profile, self._risk(last))
        horizon = state.latest - self.rules.history
        if horizon // _HOUR > self._horizon_before // _HOUR:
            self.seen.forget(horizon)
            sessions.forget(state.journeys, horizon, self.rules.gaps)
        state.seen = bytes(self.seen.keys)
        return Folded(state, rows, customer, self.risk)


def _journey_rows(customer_id: str, revision: int, changes: Changes) -> Iterator[Record]:
    """The journeys to publish, with their changed visits, then the ids to take back."""
    key = customer_id.encode()
    withdrawn: list[Record] = []
    if changes.old_visits:
        alive = {visit.first for journey in changes.journeys.values() for visit in journey.visits}
        withdrawn = [_withdrawn_visit(key, first) for first in changes.old_visits - alive]
    changed = changes.visits
    for journey in changes.journeys.values():
        visits = [_visit_row(key, visit) for visit in journey.visits if id(visit) in changed]
        yield _journey_row(customer_id, key, revision, journey, visits + withdrawn)
        withdrawn = []
    if changes.old_journeys:
        live = {journey.first for journey in changes.journeys.values()}
        for first in changes.old_journeys - live:
            yield _withdrawn_journey(customer_id, key, revision, first)


def journey_id(customer_key: bytes, first: bytes) -> str:
    """UUIDv5 of the customer and the journey's first touchpoint."""
    return _uuid5(b"journey", customer_key, first)


def visit_id(customer_key: bytes, first: bytes) -> str:
    """UUIDv5 of the customer and the visit's first touchpoint."""
    return _uuid5(b"visit", customer_key, first)


def _uuid5(kind: bytes, customer_key: bytes, first: bytes) -> str:
    """RFC 9562 version 5, written out because it is on the hot path (uuid.uuid5 costs three times as much)."""
    digest = sha1(b"\0".join((_ID_NAMESPACE + kind, customer_key, first)), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def _visit_row(key: bytes, visit: Visit) -> Record:
    return {
        "visit_id": visit_id(key, visit.first),
        "started_at": visit.started_at,
        "ended_at": visit.ended_at,
        "touchpoints": visit.touchpoints,
        "withdrawn": False,
    }


def _withdrawn_visit(key: bytes, first: bytes) -> Record:
    return {
        "visit_id": visit_id(key, first),
        "started_at": 0,
        "ended_at": 0,
        "touchpoints": 0,
        "withdrawn": True,
    }


def _journey_row(customer_id: str, key: bytes, revision: int, journey: Journey, visits: list[Record]) -> Record:
    path = [step[2] for step in journey.path]
    values = _money(journey.values)
    count = journey.sentiment_count
    return {
        "customer_id": customer_id,
        "journey_id": journey_id(key, journey.first),
        "revision": revision,
        "withdrawn": False,
        "started_at": journey.path[0][0],
        "ended_at": journey.last[0],
        "visits": journey.closed_visits + len(journey.visits),
        "touchpoints": journey.touchpoints,
        "channels": journey.channels,
        "stages": journey.stages,
        "path": path,
        "first_channel": _channel(path[0]),
        "last_channel": _channel(journey.last[2]),
        "converted_at": journey.converted_at,
        "value": next(iter(values.values())) if len(values) == 1 else None,
        "currency": (next(iter(values)) or None) if len(values) == 1 else None,
        "values": values,
        "sentiment_avg": journey.sentiment_sum / count / SENTIMENT if count else None,
        "sentiment_min": journey.sentiment_min,
        "escalations": journey.escalations,
        "unresolved": journey.unresolved,
        "truncated": journey.truncated,
        "changed_visits": visits,
    }


def _money(values: dict[str, int]) -> dict[str, float]:
    """Sums by currency, sorted, so that the order of arrival shows nowhere."""
    return {currency: values[currency] / MONEY for currency in sorted(values)}


def _channel(name: str) -> str:
    return name.partition(".")[0]


def _withdrawn_journey(customer_id: str, key: bytes, revision: int, first: bytes) -> Record:
    return {
        "customer_id": customer_id,
        "journey_id": journey_id(key, first),
        "revision": revision,
        "withdrawn": True,
        "started_at": 0,
        "ended_at": 0,
        "visits": 0,
        "touchpoints": 0,
        "channels": [],
        "stages": [],
        "path": [],
        "first_channel": "",
        "last_channel": "",
        "values": {},
        "escalations": 0,
        "unresolved": 0,
        "truncated": False,
        "changed_visits": [],
    }


def _risk_fields(assessed: risk.Risk) -> Record:
    return {
        "as_of": assessed.as_of,
        "score": assessed.score,
        "level": assessed.level,
        "reasons": [{"code": code, "points": points, "text": text} for code, points, text in assessed.reasons],
        "action": assessed.action,
        "model_version": assessed.model_version,
    }


def _customer_row(customer_id: str, revision: int, profile: Profile, assessed: risk.Risk) -> Record:
    fields = _risk_fields(assessed)
    ratings = {metric: answer[2] for metric, answer in profile.ratings.items()}
    count = profile.sentiment_count
    return {
        "customer_id": customer_id,
        "revision": revision,
        "first_seen_at": profile.first_seen_at,
        "last_seen_at": profile.last[0],
        "last_inbound_at": profile.last_inbound_at,
        "touchpoints": profile.inbound + profile.outbound,
        "inbound": profile.inbound,
        "visits": profile.visits,
        "journeys": profile.journeys,
        "last_channel": _channel(profile.last[2]),
        "purchases": profile.purchases,
        "values": _money(profile.values),
        "sentiment_avg": profile.sentiment_sum / count / SENTIMENT if count else None,
        "nps": ratings.get("nps"),
        "csat": ratings.get("csat"),
        "ces": ratings.get("ces"),
        "scored_at": fields.pop("as_of"),
        **fields,
        "profile": _profile_encoder.encode(profile).decode(),
    }
