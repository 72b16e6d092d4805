"""A deep audit holds what profiles count to what has landed, and knows what may explain that they differ."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pipeline.local.stack import LocalStack
from pipeline.log_reader import log_reader
from pipeline.profile_audit import ProfileAudit
from pipeline.profile_counts import Tally
from pipeline.topics import start_epoch
from tests.integration.audit_world import World, opened
from tests.integration.sinks_samples import DAY, START, Sample, rejected, touchpoint

pytestmark = pytest.mark.fault


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    async with LocalStack(tmp_path_factory.mktemp("stack")) as endpoints:
        yield endpoints


@pytest.fixture
async def world(stack: Any, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with opened(stack, request.node.name) as world:
        yield world


def touchpoints(count: int, first: int = 0, **fields: Any) -> list[Sample]:
    """Of ten customers in turn."""
    return [touchpoint(number, **fields) for number in range(first, first + count)]


async def compare(world: World, page_touchpoints: int) -> Tally:
    async with log_reader(world.kafka_url) as log:
        profiles = ProfileAudit(
            world.kafka_url, log, world.client, world.epochs, wait_seconds=5, page_touchpoints=page_touchpoints
        )
        return await profiles.compare()


async def test_profiles_that_count_every_touchpoint_are_clean_page_by_page(world: World) -> None:
    for first in (0, 30, 15):  # the last are duplicates in part
        await world.send("touchpoints", touchpoints(30, first))
        await world.fold()
    await world.send("touchpoints", touchpoints(5, first=60), partition=1)
    await world.land_all()
    result = await world.audit(deep=True)
    assert (result.ok, result.profiles, result.notes) == (True, 0, ())
    for page in (1, 7, 1_000):
        tally = await compare(world, page)
        assert (tally.differing, tally.unsettled, [*tally.notes]) == (0, 0, [])


@pytest.mark.parametrize("page", [1, 1_000])
async def test_a_touchpoint_that_was_passed_over_is_found(world: World, page: int) -> None:
    """One in the middle, the last of a customer, and all that a customer has; what came afterwards hides none."""
    await world.send("touchpoints", [*touchpoints(20), touchpoint(20, customer_id="new one")])
    await world.fold(skip=[3, 17, 20])
    await world.send("touchpoints", touchpoints(5, first=20))  # of customer-0 to -4
    await world.fold()
    await world.land_all()
    assert (await world.audit()).ok
    result = await world.audit(deep=True)
    assert (result.ok, result.profiles) == (False, 3)
    assert result.notes == (
        "3 profiles do not count what has landed: customer-3 (counts 2 of 3), customer-7 (counts 1 of 2), "
        "new one (counts 0 of 1); mend with: touchline rebuild --customer customer-3 --customer customer-7 "
        "--customer 'new one'",
    )
    assert (await compare(world, page)).differing == 3


async def test_a_touchpoint_counted_twice_is_found(world: World) -> None:
    await world.send("touchpoints", touchpoints(10))
    await world.fold()
    world.states["customer-4"].profile.inbound += 1
    await world.send("touchpoints", touchpoints(10, first=10))
    await world.fold()
    await world.land_all()
    result = await world.audit(deep=True)
    assert (result.ok, result.profiles) == (False, 1)
    assert "customer-4 (counts 3 of 2)" in result.notes[0]


async def test_late_touchpoints_wait_for_a_rebuild_and_are_no_difference(world: World) -> None:
    await world.send("touchpoints", touchpoints(10, first=100))
    await world.send("touchpoints", touchpoints(10, occurred_at=START - 200 * DAY))
    await world.fold()
    await world.land_all()
    assert await world.client.query("SELECT count() FROM late_touchpoints") == [(10,)]
    result = await world.audit(deep=True)
    assert (result.ok, result.profiles, result.notes) == (True, 0, ())


async def test_what_the_agent_has_not_reached_or_not_published_is_not_missed(world: World) -> None:
    await world.send("touchpoints", touchpoints(10))
    await world.fold()
    await world.send("touchpoints", touchpoints(10, first=10))
    await world.land_all()
    assert (await world.audit(deep=True)).notes == ()
    await world.fold()  # published, and not landed
    result = await world.audit(deep=True)
    assert result.profiles is None
    assert "the profiles were not compared with what has landed" in result.notes[-1]
    await world.land_all()
    assert (await world.audit(deep=True)).profiles == 0


async def test_a_profile_that_has_moved_on_is_compared_as_it_stood(world: World) -> None:
    """It is in ClickHouse already while the commit that it came with is not seen yet; the next cut settles it."""
    await world.send("touchpoints", touchpoints(10))
    await world.fold()
    await world.land_all()
    await world.send("touchpoints", touchpoints(20, first=10))
    before = world.applied.copy()
    await world.fold(skip=[15])
    await world.land_all()
    after = world.applied.copy()
    cuts = [before, after]
    async with log_reader(world.kafka_url) as log:
        profiles = _AtCuts(world, log, cuts)
        tally = await profiles.compare()
    assert (tally.differing, tally.unsettled) == (1, 0)
    assert "customer-4 (counts 2 of 3)" in next(iter(tally.notes))


class _AtCuts(ProfileAudit):
    """A comparison to which the commits appear as they are told, the last of them for good."""

    def __init__(self, world: World, log: Any, cuts: list[Any]) -> None:
        super().__init__(world.kafka_url, log, world.client, world.epochs, wait_seconds=5)
        self._cuts = cuts

    async def _cut(self) -> dict[str, Any]:
        told = self._cuts.pop(0) if len(self._cuts) > 1 else self._cuts[0]
        cut = await super()._cut()
        return {**cut, "cuts": [next(end for tp, end in told.items() if tp.partition == p) for p in cut["partitions"]]}


async def test_what_the_agent_refused_need_not_be_counted(world: World) -> None:
    await world.send("touchpoints", touchpoints(10))
    await world.fold(skip=[3])
    epoch = world.epochs["touchpoints"]
    await world.send("rejected", [rejected(3, epoch=epoch, partition=0, offset=3, source="customers")])
    await world.land_all()
    result = await world.audit(deep=True)
    assert (result.ok, result.profiles) == (True, 0)


async def test_an_import_withdrawn_and_not_followed_is_a_note(world: World) -> None:
    await world.send("touchpoints", [*touchpoints(10), *touchpoints(1, first=11, import_id="file")])
    await world.fold()
    await world.land_all()
    await world.client.insert_rows("withdrawn_imports_log", ("import_id", "withdrawn"), [("file", True)])
    result = await world.audit(deep=True)
    assert (result.ok, result.profiles) == (True, 0)
    assert "1 profiles have not followed an import" in result.notes[0]
    assert "touchline rebuild --customer customer-1" in result.notes[0]
    await world.client.insert_rows("withdrawn_imports_log", ("import_id", "withdrawn"), [("file", False)])
    assert (await world.audit(deep=True)).notes == ()


async def test_states_that_went_with_an_epoch_are_a_note_but_not_what_is_passed_over_since(world: World) -> None:
    await world.send("touchpoints", touchpoints(10))
    await world.fold()
    await world.land_all()
    world.states.clear()
    world.applied = {tp: end for tp, end in world.applied.items() if tp.partition}
    await world.send("touchpoints", touchpoints(20, first=10))
    world.epochs["touchpoints"] = await start_epoch(world.kafka_url, "touchpoints", above=world.epochs["touchpoints"])
    await world.fold(skip=[*range(11), 15])
    await world.land_all()
    result = await world.audit(deep=True)
    assert (result.ok, result.profiles) == (False, 1)
    differ, loss = result.notes[-2:] if "Kafka lost" in result.notes[-1] else result.notes[-2:][::-1]
    assert "customer-4 (counts 1 of 3)" in differ
    assert "9 profiles do not count all that has landed, since Kafka lost an epoch" in loss
    assert "touchline rebuild --all" in loss
