"""What the front desk adds up of touchpoints: values, ratings, the open journey, issues."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.console.contacts import contacts
from pipeline.console.touches import Touch

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)
GAP = 14
PLAIN: dict[str, Any] = {
    **{"customer_id": "ann", "anonymous_id": None, "event_id": "0", "stage": "service", "direction": "inbound"},
    **dict.fromkeys(("outcome", "sentiment", "rating_metric", "rating_score", "value", "currency", "reference")),
    **{"bought": 0, "effect": ""},
}


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def touch(days: float, what: str = "web.page_view", **fields: Any) -> Touch:
    """A touchpoint some days before NOW."""
    channel, _, name = what.partition(".")
    known = {"occurred_at": iso(NOW - timedelta(days=days)), "channel": channel, "touchpoint": name}
    return Touch(**{**PLAIN, **known, **fields})


def told(*touches: Touch) -> dict[str, Any]:
    """The columns, whatever the order of the rows."""
    forwards, backwards = (contacts(touches[::turn], GAP, NOW) for turn in (1, -1))
    assert forwards is not None
    assert forwards == backwards
    return forwards


def test_of_nobody_nothing_is_told() -> None:
    assert contacts([], GAP, NOW) is None


def test_of_one_outbound_touchpoint_there_is_no_last_interaction_and_no_journey() -> None:
    row = told(touch(1, direction="outbound"))
    assert (row["touchpoints"], row["first_seen_at"]) == (1, iso(NOW - timedelta(days=1)))
    assert len(row["recent"]) == 1
    assert [name for name, value in row.items() if name.startswith("last_") and value is not None] == []
    assert (row["journey_started_at"], row["journey_touchpoints"]) == (None, 0)
    assert (row["customer_since"], row["purchases"], row["values"], row["open_issues"]) == (None, 0, {}, [])


def test_a_customer_is_one_since_the_first_purchase() -> None:
    row = told(touch(9), touch(8, bought=1), touch(7, bought=1))
    assert (row["purchases"], row["customer_since"]) == (2, iso(NOW - timedelta(days=8)))


@pytest.mark.parametrize(
    ("amounts", "sums"),
    [
        ([(0.1, "EUR"), (0.2, "EUR")], '{"EUR": 0.3}'),
        ([(7.5, "USD"), (2.5, "USD"), (1.25, None)], '{"": 1.25, "USD": 10}'),
        ([(5, "EUR"), (-5, "EUR")], '{"EUR": 0}'),
        ([(0.00005, "EUR"), (0.00025, "EUR")], '{"EUR": 0.0002}'),
        ([(None, "EUR")], "{}"),
    ],
)
def test_values_are_added_up_by_currency_to_four_decimals(amounts: list[Any], sums: str) -> None:
    touches = [touch(day, value=value, currency=currency) for day, (value, currency) in enumerate(amounts)]
    failed = touch(99, value=99.0, currency="EUR", outcome="failed")
    assert json.dumps(told(*touches, failed)["values"]) == sums


def test_the_latest_answer_counts_and_one_without_a_score_is_none() -> None:
    row = told(
        touch(5, rating_metric="nps", rating_score=3),
        touch(4, rating_metric="nps", rating_score=9),
        touch(3, rating_metric="nps"),
        touch(2, rating_metric="csat", rating_score=4.5),
    )
    assert (row["nps"], row["csat"], row["ces"]) == (9, 4.5, None)
    assert row["nps_at"] == iso(NOW - timedelta(days=3))


def test_the_last_interaction_is_the_newest_inbound_one_by_time_then_id() -> None:
    row = told(
        touch(2, "phone.inquiry", event_id="b", sentiment=-0.35, outcome="resolved", reference="t1"),
        touch(2, "web.search", event_id="a"),
        touch(1, "email.newsletter", direction="outbound"),
    )
    assert [row[f"last_{name}"] for name in ("channel", "touchpoint", "outcome", "reference", "sentiment", "mood")] == [
        *("phone", "inquiry", "resolved", "t1", -0.35, "negative")
    ]


def test_the_newest_twenty_are_shown_the_newest_first() -> None:
    row = told(*(touch(day, value=float(day)) for day in range(30)))
    assert (row["touchpoints"], [one["value"] for one in row["recent"]]) == (30, [float(day) for day in range(20)])
    assert list(row["recent"][0])[:2] == ["occurred_at", "channel"]


@pytest.mark.parametrize(
    ("days", "steps"),
    [
        ([0], 1),
        ([14], 1),
        ([14.01], 0),
        ([1, 15, 29], 3),
        ([1, 15.01, 16], 1),
        ([20, 21], 0),
    ],
)
def test_a_journey_is_open_while_its_last_touchpoint_is_within_the_gap(days: list[float], steps: int) -> None:
    row = told(*(touch(day) for day in days), touch(0.5, direction="outbound"))
    assert row["journey_touchpoints"] == steps
    assert row["journey_started_at"] == (iso(NOW - timedelta(days=days[steps - 1])) if steps else None)


def test_a_journey_names_its_channels_and_stages_once_and_sorted() -> None:
    row = told(touch(3, stage="purchase"), touch(2, "phone.inquiry"), touch(1), touch(90, "social.post"))
    assert (row["journey_channels"], row["journey_stages"]) == (["phone", "web"], ["purchase", "service"])


def issues(*touches: Touch) -> list[tuple[Any, ...]]:
    return [tuple(issue.values()) for issue in told(*touches)["open_issues"]]


def test_an_issue_stands_from_what_opened_it_first_after_it_was_settled_last() -> None:
    t1 = {"reference": "t1"}
    found = issues(
        touch(9, "helpdesk.ticket_opened", effect="opens", **t1),
        touch(8, "helpdesk.ticket_resolved", effect="settles", **t1),
        touch(7, "helpdesk.ticket_reopened", effect="opens", **t1),
        touch(6, "phone.complaint", effect="opens", **t1),
        touch(5, "email.answer", direction="outbound", **t1),
    )
    since, last = iso(NOW - timedelta(days=7)), iso(NOW - timedelta(days=5))
    assert found == [("t1", "helpdesk", "ticket_reopened", since, last, 4)]


def test_an_issue_without_a_reference_goes_by_its_channel() -> None:
    found = issues(
        touch(5, "phone.complaint", effect="opens"),
        touch(4, "social.complaint", effect="opens"),
        touch(3, "phone.inquiry", effect="settles"),
        touch(2, "delivery.lost", effect="opens", reference="social"),
        touch(1, "delivery.lost", effect="opens", reference=""),
    )
    assert [issue[:2] for issue in found] == [(None, "social"), ("social", "delivery"), ("", "delivery")]
