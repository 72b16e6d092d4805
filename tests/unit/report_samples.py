"""Answers of the views for a report, small, and as hostile as an outsider could make them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from pipeline.report.asking import Answers

HOSTILE = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)><!-- &amp; \u2028\u202e=1+1"
MADE_AT = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
WHEN = datetime(2026, 11, 21, 10, 0)  # noqa: DTZ001 (as ClickHouse's driver gives UTC)

_COUNTS = ("touchpoints", "customers", "visitors", "medium", "high", "critical", "gone", "visits", "journeys", "open")
NUMBERS: dict[str, Any] = {
    **{name: number for number, name in enumerate(_COUNTS, 1)},
    "converted": 2,
    "rejected": 0,
    "alerts": 1,
    "first_at": WHEN,
    "last_at": WHEN,
}
EMPTY = Answers(
    **{name: () for name in Answers.__dataclass_fields__ if name != "numbers"},
    **{"numbers": {**dict.fromkeys(NUMBERS, 0), "first_at": None, "last_at": None}},
)


def answers(name: str = HOSTILE) -> Answers:
    """One row of each view, in which every text from outside is `name`."""
    return Answers(
        numbers=NUMBERS,
        journey_map=[
            {
                "position": 5,
                "stage": "service",
                "channel": name,
                "touchpoints": 4,
                "customers": 3,
                "share_of_customers": 0.75,
                "journeys": 2,
                "top_touchpoints": [name],
                "sentiment_avg": -0.25,
                "converted": 1,
                "unresolved": 1,
                "wait_ms_avg": 90_000.0,
            }
        ],
        risk=[{"from_score": 90, "level": "critical", "customers": 6}],
        at_risk=[
            {
                "customer_id": name,
                "score": 98.5,
                "level": "critical",
                "since": None,
                "reasons": [{"code": "unresolved", "points": 12.5, "text": name}],
                "action": "special_offer",
                "alert_status": "acknowledged",
                "acknowledged_by": name,
                "last_seen_at": WHEN,
                "last_channel": name,
                "values": {name: 1234.5},
            }
        ],
        channels=[
            {
                "channel": name,
                "medium": name,
                "relationship": name,
                "touchpoints": 4,
                "customers": 3,
                "journeys": 40,
                "opened": 2,
                "closed": 1,
                "converted": 20,
                "conversion_rate": 0.5,
                "sentiment_avg": None,
                "resolved": 1,
                "unresolved": 0,
                "wait_ms_avg": None,
                "values": {},
                "cost": 3.5,
                "cost_per_conversion": 0.175,
            }
        ],
        usage=[
            {
                "channel": name,
                "touchpoint": name,
                "stage": "service",
                "touchpoints": 4,
                "customers": 3,
                "share": 0.04,
                "last_used_at": WHEN,
            }
        ],
        stages=[
            {
                "position": 5,
                "stage": "service",
                "journeys": 10,
                "customers": 9,
                "went_on": 4,
                "went_on_rate": 0.4,
                "met_next": 4,
                "dropped_out": 3,
                "drop_out_rate": 0.3,
                "still_open": 2,
                "converted": 5,
                "conversion_rate": 0.5,
            }
        ],
        handoffs=[
            {
                "from_channel": name,
                "to_channel": "web",
                "handoffs": 7,
                "journeys": 6,
                "customers": 5,
                "share": 1.0,
                "within_visit": 2,
                "between_ms_p50": 5_400_000.0,
                "conversion_rate": 0.5,
                "pairs": 3,
            }
        ],
        feelings=[
            {
                "position": 5,
                "stage": "service",
                "sentiment_avg": -0.5,
                "moods": 4,
                "good": 1,
                "bad": 3,
                "turned_good": 1,
                "turned_bad": 2,
            }
        ],
        moments=[
            {
                "stage": "service",
                "channel": name,
                "touchpoint": name,
                "turned_bad": 2,
                "turned_good": 1,
                "change_avg": None,
                "sentiment_avg": -0.5,
                "moods": 4,
                "customers": 3,
            }
        ],
        voice=[
            {
                "week": date(2026, 11, 16),
                "answers": 9,
                "nps_answers": 4,
                "promoters": 3,
                "passives": 0,
                "detractors": 1,
                "nps": 50.0,
                "csat_answers": 2,
                "satisfied": 1,
                "csat": 0.5,
                "ces_answers": 3,
                "ces": 5.5,
            }
        ],
    )


def without(*names: str) -> Answers:
    """The same, where these views have no rows."""
    return replace(answers("web"), **dict.fromkeys(names, ()))
