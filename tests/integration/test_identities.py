"""Links and what they stitch, on small histories worked out by hand; every touchpoint has landed twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from pipeline.errors import UsageError
from pipeline.identities import Correction, correct, links
from pipeline.rows import journey_id, visit_id
from pipeline.settings import Settings
from sinks.clickhouse import Client
from sinks.migrate import migrate
from tests.integration.identities_world import everything, land, of_person, persons, seen, statuses, stitched
from tests.integration.sinks_server import Server, database
from tests.reference import DAY, JOURNEY_GAP, MINUTE, VISIT_GAP

GAP = VISIT_GAP / MINUTE
LONG_GAP = JOURNEY_GAP / MINUTE
MILLISECOND = 1 / MINUTE


@pytest.fixture
def client(emptied: Client) -> Client:
    return emptied


@pytest.fixture
async def older(engine: Server) -> AsyncIterator[Client]:
    """A database of the test's own, whose tables it may alter."""
    async with database(engine, "older") as client:
        yield client


async def unlink(client: Client, device: str, customer: str) -> str:
    return str(await correct(client, Correction(device, customer, linked=False)))


async def link(client: Client, device: str, customer: str) -> str:
    return str(await correct(client, Correction(device, customer, linked=True)))


async def test_a_device_used_before_and_after_login_is_one_journey(client: Client) -> None:
    await land(
        client,
        seen(1, 0, None, "d1", name="web.landing_page", stage="awareness"),
        seen(
            2, GAP, "ann", "d1", name="web.purchase", stage="purchase", outcome="converted", value=20.0, currency="EUR"
        ),
        seen(3, 2 * GAP + MILLISECOND, None, "d1", name="mobile_app.app_open", sentiment=-0.5),
        seen(4, 2 * GAP + MILLISECOND, None, "d2"),
    )
    assert await statuses(client) == {("d1", "ann"): "active"}
    assert await persons(client) == {"ann": [1, 2, 3], "anon:d2": [4]}
    first, third = UUID(int=1).bytes, UUID(int=3).bytes
    columns = "person_id, toString(visit_id), toString(journey_id), keys, touchpoints"
    assert await of_person(client, "visits", "ann", columns) == [
        ("ann", visit_id(b"ann", first), journey_id(b"ann", first), ["ann", "anon:d1"], 2),
        ("ann", visit_id(b"ann", third), journey_id(b"ann", first), ["anon:d1"], 1),
    ]
    columns = (
        "keys, visits, touchpoints, channels, stages, path, first_channel, last_channel, isNotNull(converted_at),"
        " value, currency, values, sentiment_avg, sentiment_min, escalations, unresolved, truncated, is_open"
    )
    assert await of_person(client, "journeys", "ann", columns) == [
        (
            *(["ann", "anon:d1"], 2, 3, ["mobile_app", "web"], ["awareness", "purchase", "service"]),
            *(["web.landing_page", "web.purchase", "mobile_app.app_open"], "web", "mobile_app", 1, 20.0),
            *("EUR", {"EUR": 20.0}, -0.5, -0.5, 0, 0, False, False),
        )
    ]


async def test_a_distance_equal_to_a_gap_still_merges_across_devices(client: Client) -> None:
    await land(
        client,
        seen(1, 0, "ann", "d1"),
        seen(2, LONG_GAP, None, "d1"),
        seen(3, 2 * LONG_GAP + MILLISECOND, "ann", None),
    )
    assert await stitched(client, "journeys", "touchpoints, keys") == [(2, ["ann", "anon:d1"]), (1, ["ann"])]
    assert await stitched(client, "visits", "touchpoints") == [(1,), (1,), (1,)]


async def test_a_person_may_have_several_devices_and_outbound_touchpoints_join_nothing(client: Client) -> None:
    await land(
        client,
        seen(1, 0, None, "phone"),
        seen(2, GAP, None, "laptop"),
        seen(3, 10, "ann", "phone", name="email.newsletter", direction="outbound"),
        seen(4, 3 * GAP, "ann", "laptop"),
    )
    assert await persons(client) == {"ann": [1, 2, 3, 4]}
    assert await stitched(client, "visits", "person_id, keys, touchpoints") == [
        ("ann", ["anon:laptop", "anon:phone"], 2),
        ("ann", ["ann"], 1),
    ]


async def test_a_shared_device_is_nobodys_until_all_but_one_are_taken_back(client: Client) -> None:
    await land(
        client,
        seen(1, 0, None, "kiosk"),
        seen(2, 5, "ann", "kiosk"),
        seen(3, 6, "bob", "kiosk"),
        seen(4, 7, "cid", "kiosk"),
        seen(5, 8, None, "own"),
        seen(6, 9, "bob", "own"),
    )
    apart = {"anon:kiosk": [1], "ann": [2], "bob": [3, 5, 6], "cid": [4]}
    assert await persons(client) == apart
    assert await unlink(client, "kiosk", "cid") == (
        "kiosk (anonymous touchpoints: 1) is shared by ann, bob: stitched to nobody until all but one are taken back"
    )
    assert await persons(client) == apart
    assert await unlink(client, "kiosk", "bob") == "kiosk (anonymous touchpoints: 1) is stitched to ann"
    assert await persons(client) == {"ann": [1, 2], "bob": [3, 5, 6], "cid": [4]}
    found = {one.customer_id: (one.status, one.shared_with) for one in await links(client, anonymous_id="kiosk")}
    assert found == {"ann": ("active", ()), "bob": ("taken_back", ("ann",)), "cid": ("taken_back", ("ann",))}
    # Asserting what was taken back makes the device shared again, and changes nobody else.
    await link(client, "kiosk", "bob")
    assert await persons(client) == apart


async def test_taking_a_wrong_link_back_restores_exactly_what_was(client: Client) -> None:
    await land(
        client, seen(1, 0, None, "d1"), seen(2, 10, "ann", None), seen(3, 20, None, "d1"), seen(4, 30, "bob", "d2")
    )
    before = await everything(client)
    assert await link(client, "d1", "ann") == "d1 (anonymous touchpoints: 2) is stitched to ann"
    assert await persons(client) == {"ann": [1, 2, 3], "bob": [4]}
    assert await stitched(client, "journeys", "person_id, touchpoints") == [("ann", 3), ("bob", 1)]
    assert await unlink(client, "d1", "ann") == "d1 (anonymous touchpoints: 2) is stitched to nobody"
    assert await everything(client) == before
    # What touchpoints show later does not bring back what was taken back by hand.
    await land(client, seen(5, 40, "ann", "d1"))
    assert await statuses(client) == {("d1", "ann"): "taken_back", ("d2", "bob"): "active"}
    assert await persons(client) == {"ann": [2, 5], "anon:d1": [1, 3], "bob": [4]}


async def test_a_link_that_touchpoints_wrongly_show_can_be_taken_back(client: Client) -> None:
    await land(client, seen(1, 0, None, "d1"), seen(2, 10, "ann", None))
    before = await everything(client)
    await land(client, seen(3, LONG_GAP * 2, "ann", "d1", direction="outbound", name="email.sent"))
    assert await persons(client) == {"ann": [1, 2, 3]}
    await unlink(client, "d1", "ann")
    after = await everything(client)
    assert (after["visits"], after["journeys"]) == (before["visits"], before["journeys"])
    assert [row for row in after["touchpoints"] if row[1].int != 3] == before["touchpoints"]


async def test_a_link_asserted_by_hand_beside_one_that_was_seen_makes_the_device_shared(client: Client) -> None:
    await land(client, seen(1, 0, None, "d1"), seen(2, 10, "ann", "d1"))
    assert "shared by ann, bob" in await link(client, "d1", "bob")
    assert await persons(client) == {"ann": [2], "anon:d1": [1]}
    rows = await client.query("SELECT * FROM identities ORDER BY customer_id")
    assert [(*row[:2], row[2], bool(row[3]), row[6]) for row in rows] == [
        ("d1", "ann", "ambiguous", False, 1),
        ("d1", "bob", "ambiguous", True, 0),
    ]
    assert rows[1][4:6] == (None, None)


async def test_a_person_is_the_same_by_parameter_as_by_filter(client: Client) -> None:
    await land(
        client, *(seen(1, 0, None, "d1"), seen(2, 10, "ann", "d1"), seen(3, 20, None, "d2"), seen(4, 30, "bob", None))
    )
    for person, numbers in {"ann": [1, 2], "bob": [4], "anon:d2": [3], "anon:d1": [], "nobody": []}.items():
        found = await of_person(client, "touchpoints", person, "event_id")
        assert sorted(event_id.int for (event_id,) in found) == numbers
        for what in ("touchpoints", "visits", "journeys"):
            filtered = await client.query(
                f"SELECT * FROM stitched_{what} WHERE person_id = {{who:String}}", {"who": person}
            )
            assert sorted(map(repr, filtered)) == sorted(map(repr, await of_person(client, what, person)))


async def test_ties_go_by_the_text_of_the_event_id(client: Client) -> None:
    low, high = UUID("00000000-0000-0000-ffff-000000000000").int, UUID("ffffffff-0000-0000-0000-000000000000").int
    await land(client, seen(high, 0, "ann", "d1", name="phone.inquiry"), seen(low, 0, None, "d1", name="web.search"))
    assert await stitched(client, "journeys", "path, first_channel, last_channel") == [
        (["web.search", "phone.inquiry"], "web", "phone")
    ]


async def test_late_touchpoints_are_in_and_impossible_ones_are_out(client: Client) -> None:
    late = seen(2, -200 * DAY / MINUTE, "ann", None)
    future = seen(3, 0, "ann", None)
    future["received_at"] = future["occurred_at"] - DAY - 1
    await land(client, seen(1, 0, "ann", None), late, future)
    assert await stitched(client, "journeys", "touchpoints") == [(1,), (1,)]


async def test_one_person_is_found_by_index(client: Client) -> None:
    anonymous = (seen(number, 0, None, f"d{number}") for number in range(1_000))
    known = (seen(1_000 + number, 10, f"c{number}", f"d{number}") for number in range(50_000))
    await land(client, *anonymous, *known, times=1)
    everyone = await marks(client, "touchpoints")
    assert everyone > 6
    for what, rows in (("touchpoints", 2), ("visits", 1), ("journeys", 1)):
        assert len(await of_person(client, what, "c777")) == rows
        assert await marks(client, f"person_{what}(person = 'c777')") <= 3
    # The two granules that hold d777, and their neighbours, with which duplicates could be shared.
    assert await marks(client, "person_links(person = 'c777')") <= 5


async def marks(client: Client, source: str) -> int:
    """How many granules of touchpoints a query of everything there reads, not counting the keys it looks up first."""
    plan = await client.query(f"EXPLAIN ESTIMATE SELECT * FROM {source}")
    return sum(read for _, table, _, _, read in plan if table == "touchpoints_log")


async def test_an_installation_from_before_gets_it_all_and_keeps_its_corrections(older: Client) -> None:
    ours = "0012_identity_corrections.sql"
    await older.command("ALTER TABLE touchpoints_log DROP INDEX by_anonymous_id")
    await older.command("DROP TABLE identity_corrections_log")
    await older.command("ALTER TABLE schema_migrations DELETE WHERE name = {name:String}", {"name": ours})
    await older.command("ALTER TABLE parameters DELETE WHERE name = 'visit_gap_minutes'")
    await land(older, seen(1, 0, None, "d1"), seen(2, 10, "ann", None))
    assert await migrate(older, Settings()) == [ours]
    await link(older, "d1", "ann")
    assert await migrate(older, Settings()) == []
    assert await persons(older) == {"ann": [1, 2]}
    indexes = "SELECT name FROM system.data_skipping_indices WHERE table = 'touchpoints_log'"
    assert await older.query(indexes + " AND database = currentDatabase()") == [("by_anonymous_id",)]


async def test_what_does_not_stand_cannot_be_taken_back(client: Client) -> None:
    await land(client, seen(1, 0, "ann", "d1"))
    with pytest.raises(UsageError, match="d1 is not linked to bob: it is linked to ann"):
        await unlink(client, "d1", "bob")
    with pytest.raises(UsageError, match="d9 is not linked to ann: it is linked to nobody"):
        await unlink(client, "d9", "ann")
    await unlink(client, "d1", "ann")
    with pytest.raises(UsageError, match=r"taken back already on 2\d\d\d-"):
        await unlink(client, "d1", "ann")
    assert await client.query("SELECT count() FROM identity_corrections_log") == [(1,)]
