"""The records that a fold publishes: journeys with their changed visits, withdrawals, the customer."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha1
from uuid import UUID

import msgspec

from pipeline.journeys import MONEY, SENTIMENT, Changes
from pipeline.model import Record
from pipeline.reasons import Risk
from pipeline.state import Journey, Profile, State, Visit

_profile_encoder = msgspec.json.Encoder(order="deterministic")
_ID_NAMESPACE = UUID("a9b5b3de-6f9b-5d57-8a70-0d8f1c0e6b52").bytes


def journey_rows(customer_id: str, revision: int, changes: Changes) -> Iterator[Record]:
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
            yield withdrawn_journey(customer_id, revision, journey_id(key, first), withdrawn)
            withdrawn = []


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
    return withdrawn_visit(visit_id(key, first))


def withdrawn_visit(withdrawn: str) -> Record:
    """What takes a visit back: it travels with a row of any journey of the customer."""
    return {
        "visit_id": withdrawn,
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


def withdrawn_journey(customer_id: str, revision: int, withdrawn: str, visits: list[Record]) -> Record:
    """What takes a journey back, with the visits that are taken back beside it."""
    return {
        "customer_id": customer_id,
        "journey_id": withdrawn,
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
        "changed_visits": visits,
    }


def risk_fields(assessed: Risk) -> Record:
    """What a change of risk and a customer's row have in common."""
    return {
        "as_of": assessed.as_of,
        "score": assessed.score,
        "level": assessed.level,
        "reasons": [{"code": code, "points": points, "text": text} for code, points, text, _ in assessed.reasons],
        "action": assessed.action,
        "model_version": assessed.model_version,
    }


def risk_row(  # noqa: PLR0913 (the fields of the row)
    customer_id: str,
    revision: int,
    assessed: Risk,
    profile: Profile,
    *,
    previous: str | None,
    lasting: bool,
    event_id: str,
    imported: bool,
) -> Record:
    """A change of level, or one that became `lasting`; what was `imported` never notifies."""
    evidence = [(reason.code, each) for reason in assessed.reasons for each in reason.evidence]
    main = assessed.reasons[0].evidence if assessed.reasons else ()
    worth = _money(profile.values)
    return {
        "customer_id": customer_id,
        "revision": revision,
        **risk_fields(assessed),
        "previous_level": previous,
        "event_id": event_id,
        "imported": imported,
        "evidence": [
            {
                "code": code,
                "event_id": str(UUID(bytes=each.event_id)) if each.event_id else None,
                "touchpoint": each.touchpoint,
                "occurred_at": each.occurred_at,
            }
            for code, each in evidence
        ],
        "channels": sorted({_channel(each.touchpoint) for each in main if each.touchpoint}),
        "segment": profile.segment[2] if profile.segment is not None else None,
        "value": next(iter(worth.values())) if len(worth) == 1 else None,
        "lasting": lasting,
    }


def customer_row(customer_id: str, revision: int, state: State, assessed: Risk, history: int) -> Record:
    """The profile in numbers, with the risk as assessed; `limited_from` where a limit cuts the history short."""
    profile = state.profile
    fields = risk_fields(assessed)
    ratings = {metric: answers[0][2] for metric, answers in profile.answers.items()}
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
        "limited_from": state.floor if state.floor > state.latest - history else None,
        "rebuilt": state.rebuilt,
    }
