"""How it stands with a customer's alert."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.console.standing import alert_columns
from pipeline.console.touches import Alert

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
PLAIN: dict[str, Any] = {
    **{"level": "high", "raised_at": "2026-03-01T09:00:00.000Z", "score": 80, "status": "raised", "about": None},
    **{"attempted_at": "2026-03-01T09:00:00.000Z", "by": None, "until": None},
}
FIRST = Alert("1", **PLAIN)
SECOND = Alert("2", **{**PLAIN, "raised_at": "2026-03-02T09:00:00.000Z", "level": "critical"})


def record(status: str, **fields: Any) -> Alert:
    return Alert("9", **{**PLAIN, "status": status, **fields})


def told(*records: Alert) -> tuple[Any, ...]:
    """Which alert, its level, its status, who took it on; whatever the order of the records."""
    [columns, others] = (alert_columns(records[::turn], NOW) for turn in (1, -1))
    assert columns == others
    names = ("alert_id", "alert_level", "alert_status", "acknowledged_at", "acknowledged_by", "snoozed_until")
    return tuple(columns[name] for name in names)


NOTHING = (None,) * 6


def test_without_records_all_is_null() -> None:
    assert told() == NOTHING
    assert list(alert_columns([], NOW).values()) == [None] * 7


def test_the_newest_alert_is_told_until_it_is_over() -> None:
    assert told(FIRST, SECOND) == ("2", "critical", "open", None, None, None)
    assert told(FIRST, SECOND, record("over", about="1")) == ("2", "critical", "open", None, None, None)
    assert told(FIRST, SECOND, record("over", about="2")) == NOTHING


def test_of_two_at_once_the_higher_score_is_the_newer() -> None:
    assert told(FIRST, Alert("3", **{**PLAIN, "score": 80.5}))[0] == "3"


def test_an_alert_taken_on_says_by_whom_and_when() -> None:
    at = "2026-03-03T08:00:00.000Z"
    taken = record("acknowledged", about="2", by="Lee", attempted_at=at)
    assert told(FIRST, SECOND, taken) == ("2", "critical", "acknowledged", at, "Lee", None)
    assert told(FIRST, SECOND, record("acknowledged", about="1", by="Lee"))[2:5] == ("open", None, None)


@pytest.mark.parametrize(
    ("orders", "until"),
    [
        ([("2026-03-21T12:00:00.000Z", 1)], "2026-03-21T12:00:00.000Z"),
        ([("2026-03-20T12:00:00.000Z", 1)], None),
        ([("2026-03-21T12:00:00.000Z", 1), ("2026-03-02T12:00:00.000Z", 2)], None),
        ([("2026-03-21T12:00:00.000Z", 2), ("2026-03-25T12:00:00.000Z", 1)], "2026-03-21T12:00:00.000Z"),
    ],
)
def test_the_latest_order_to_snooze_holds_until_its_moment(orders: list[tuple[str, int]], until: str | None) -> None:
    given = [record("snoozed", until=each, attempted_at=f"2026-03-0{day}T00:00:00.000Z") for each, day in orders]
    assert told(*given) == (*NOTHING[:5], until)
