"""What a change of level tells those who decide about alerts: what it rests on, where, of whom."""

from __future__ import annotations

import pytest

from tests.reference import DAY, START, Record, touchpoint
from tests.unit.test_customer import folded


def complaints(*more: Record) -> Record:
    """The last change of level of somebody who complained three times."""
    made = [
        touchpoint(
            n,
            START + n * DAY,
            "phone.complaint",
            outcome="unresolved",
            sentiment=-0.9,
            received_at=START + 4 * DAY,
        )
        for n in (1, 2, 3)
    ]
    return folded(*more, *made).risk[-1]


def test_each_reason_names_its_newest_touchpoints() -> None:
    change = complaints()
    first = change["reasons"][0]["code"]
    evidence = [each for each in change["evidence"] if each["code"] == first]
    assert [each["event_id"] for each in evidence] == [
        str(touchpoint(number)["event_id"]) for number in range(len(evidence), 0, -1)
    ]
    assert {each["touchpoint"] for each in evidence} == {"phone.complaint"}
    assert evidence[0]["occurred_at"] == START + len(evidence) * DAY
    assert change["channels"] == ["phone"]


@pytest.mark.parametrize(("second", "value"), [("EUR", 30.0), ("USD", None)])
def test_the_worth_is_known_in_one_currency_only(second: str, value: float | None) -> None:
    bought = [touchpoint(10, value=10.0, currency="EUR"), touchpoint(11, value=20.0, currency=second)]
    assert complaints(*bought)["value"] == value
    assert complaints()["value"] is None


@pytest.mark.parametrize("turn", [1, -1])
def test_the_segment_is_the_latest_that_was_named_whatever_the_order(turn: int) -> None:
    named = [
        touchpoint(20, START, attributes={"segment": "silver"}),
        touchpoint(21, START + DAY, attributes={"segment": "gold"}),
        touchpoint(22, START + 2 * DAY, attributes={"other": "x"}),
    ]
    assert complaints(*named[::turn])["segment"] == "gold"
    assert complaints()["segment"] is None
