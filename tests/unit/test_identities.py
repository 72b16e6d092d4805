"""Links and corrections as values: what is refused, and what a device's standing reads like."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from pipeline.errors import UsageError
from pipeline.identities import Correction, Device, Link, refuse_impossible, refuse_not_standing

WHEN = datetime(2026, 3, 1, 12, 30, 0, 250_000)  # noqa: DTZ001 (ClickHouse's client answers UTC without an offset)


def link(customer_id: str, status: str, **fields: Any) -> Link:
    plain = {"asserted": False, "touchpoints": 1, "first_seen_at": WHEN, "last_seen_at": WHEN, "shared_with": ()}
    by_hand = {"corrected_at": None, "corrected_by": "", "comment": ""}
    return Link("d1", customer_id, status, **{**plain, **by_hand, **fields})


@pytest.mark.parametrize(
    ("links", "standing"),
    [
        ((), "is stitched to nobody"),
        ((link("ann", "taken_back"),), "is stitched to nobody"),
        ((link("ann", "taken_back"), link("bob", "active")), "is stitched to bob"),
        (
            (link("ann", "ambiguous"), link("bob", "ambiguous"), link("cid", "taken_back")),
            "is shared by ann, bob: stitched to nobody until all but one are taken back",
        ),
    ],
)
def test_a_device_says_whose_it_is(links: tuple[Link, ...], standing: str) -> None:
    assert str(Device("d1", links, 3)) == f"d1 (anonymous touchpoints: 3) {standing}"


def test_a_link_is_shown_with_times_in_utc() -> None:
    shown = link("ann", "ambiguous", shared_with=("bob",), corrected_at=WHEN, first_seen_at=None).to_json()
    assert shown == {
        "anonymous_id": "d1",
        "customer_id": "ann",
        "status": "ambiguous",
        "asserted": False,
        "touchpoints": 1,
        "first_seen_at": None,
        "last_seen_at": "2026-03-01T12:30:00.250Z",
        "shared_with": ["bob"],
        "corrected_at": "2026-03-01T12:30:00.250Z",
        "corrected_by": "",
        "comment": "",
    }


@pytest.mark.parametrize(
    ("anonymous_id", "customer_id", "problem"),
    [
        ("", "ann", "ANONYMOUS must have 1 to 200"),
        ("d" * 201, "ann", "ANONYMOUS must have 1 to 200"),
        ("d1", "", "CUSTOMER must have 1 to 200"),
        ("d1", "c" * 201, "CUSTOMER must have 1 to 200"),
        ("d1", "anon:d2", "anon:d2 is an anonymous key"),
    ],
)
def test_ids_that_no_touchpoint_can_have_are_refused(anonymous_id: str, customer_id: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        refuse_impossible(Correction(anonymous_id, customer_id, linked=True))


def test_ids_at_the_border_are_taken() -> None:
    refuse_impossible(Correction("d" * 200, "c" * 200, linked=True))
    refuse_impossible(Correction("anon:", "a", linked=False))


@pytest.mark.parametrize("status", ["active", "ambiguous"])
def test_a_standing_link_may_be_taken_back(status: str) -> None:
    refuse_not_standing(Correction("d1", "ann", linked=False), [link("bob", "taken_back"), link("ann", status)])


@pytest.mark.parametrize(
    ("known", "problem"),
    [
        ([], "d1 is not linked to ann: it is linked to nobody; see `touchline identities list`"),
        ([link("bob", "active")], "d1 is not linked to ann: it is linked to bob"),
        (
            [link("ann", "taken_back", corrected_at=WHEN)],
            "the link of d1 to ann was taken back already on 2026-03-01T12:30:00.250Z",
        ),
    ],
)
def test_what_does_not_stand_cannot_be_taken_back(known: list[Link], problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        refuse_not_standing(Correction("d1", "ann", linked=False), known)
    assert str(refused.value) == problem
