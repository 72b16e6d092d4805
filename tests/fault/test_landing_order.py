"""What has landed is entered in the ledger only once its rows are acknowledged, wherever landing is interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest

from pipeline.settings import Settings
from sinks import ledger
from sinks.clickhouse import Client, connect
from sinks.migrate import migrate
from tests.integration.clickhouse_gate import Gate, When, gate
from tests.integration.sinks_samples import EPOCH, Value, several, uid
from tests.integration.sinks_server import clickhouse
from tests.integration.test_landing_refusals import World

pytestmark = pytest.mark.fault

COUNT = 60
ROWS, LEDGER = "touchpoints_log", "landing_ledger"
MOMENTS: list[tuple[str, When]] = [(ROWS, "before"), (ROWS, "after"), (LEDGER, "before"), (LEDGER, "after")]


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    async with clickhouse(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture
async def guarded(server: tuple[str, str]) -> AsyncIterator[Gate]:
    async with gate(server[0], ROWS, LEDGER) as opened:
        yield opened


@pytest.fixture
async def straight(server: tuple[str, str], request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client past the gate, of a database of the test's own."""
    url, password = server
    async with await connect(url, "default", password, "t_" + uid(request.node.nodeid)[:8]) as client:
        await migrate(client, Settings())
        yield client


@pytest.fixture
async def gated(server: tuple[str, str], guarded: Gate, straight: Client) -> AsyncIterator[Client]:
    """A client of the same database through the gate."""
    async with await connect(guarded.url, "default", server[1], straight.database) as client:
        yield client


def records() -> list[Value]:
    return several("touchpoints", COUNT)


async def land(world: World, rest: Sequence[Value], size: int = COUNT) -> None:
    """Land the records in chunks of a size."""
    chunks = [world.chunk(rest[first : first + size]) for first in range(0, len(rest), size)]
    await world.lander.land(chunks)


async def visible(client: Client) -> list[int]:
    return [offset for (offset,) in await client.query("SELECT kafka_offset FROM touchpoints ORDER BY 1")]


async def assert_ledger_is_true(client: Client) -> None:
    """All that the ledger says has landed can be seen."""
    mark = (await ledger.marks(client, "touchpoints", EPOCH)).get(0, 0)
    assert set(range(mark)) <= set(await visible(client))


async def assert_all_landed_once(client: Client, world: World) -> None:
    assert await visible(client) == list(range(COUNT))
    assert await ledger.marks(client, "touchpoints", EPOCH) == {0: COUNT}
    assert world.durable == {0: COUNT}
    await client.command("OPTIMIZE TABLE touchpoints_log FINAL")
    assert await client.query("SELECT count() FROM touchpoints_log") == [(COUNT,)]


async def test_the_ledger_is_written_once_the_rows_are_acknowledged(
    guarded: Gate, gated: Client, straight: Client
) -> None:
    world = World("touchpoints", gated)
    rows = guarded.keep(ROWS, "after")
    landing = asyncio.create_task(land(world, records()))
    await guarded.reached.wait()
    assert await visible(straight) == list(range(COUNT))  # the server has them, and has not said so
    assert (guarded.events, world.durable) == ([(ROWS, "arrived")], {})
    entry = guarded.keep(LEDGER, "after")
    rows.set()
    await guarded.reached.wait()
    assert guarded.events == [(ROWS, "arrived"), (ROWS, "answered"), (LEDGER, "arrived")]
    assert await ledger.marks(straight, "touchpoints", EPOCH) == {0: COUNT}
    assert world.durable == {}
    entry.set()
    await landing
    assert world.durable == {0: COUNT}


@pytest.mark.parametrize(("table", "when"), MOMENTS)
async def test_a_worker_that_dies_leaves_a_ledger_that_is_true_and_its_successor_ends_the_work(
    guarded: Gate, gated: Client, straight: Client, table: str, when: When
) -> None:
    world = World("touchpoints", gated)
    guarded.keep(table, when)
    landing = asyncio.create_task(land(world, records()))
    await guarded.reached.wait()
    landing.cancel()
    with suppress(asyncio.CancelledError):
        await landing
    assert world.durable == {}
    await assert_ledger_is_true(straight)

    successor = World("touchpoints", gated)
    marks = await successor.lander.marks()
    first = marks[0].position if 0 in marks else 0
    assert first == (COUNT if (table, when) == (LEDGER, "after") else 0)
    await land(successor, records()[first:], size=7)  # chunks cut otherwise, so that no token is known
    successor.durable.setdefault(0, first)
    await assert_all_landed_once(straight, successor)
    await guarded.release()  # what the dead worker had sent comes in after all
    await assert_all_landed_once(straight, successor)


@pytest.mark.parametrize(("table", "when"), MOMENTS)
async def test_a_connection_that_is_cut_loses_and_doubles_nothing(
    guarded: Gate, gated: Client, straight: Client, table: str, when: When
) -> None:
    world = World("touchpoints", gated)
    guarded.cut(table, when)
    await land(world, records())
    assert guarded.reached.is_set()
    assert guarded.events.count((table, "arrived")) >= 2
    first_entry = guarded.events.index((LEDGER, "arrived"))
    assert (ROWS, "answered") in guarded.events[:first_entry]
    await assert_all_landed_once(straight, world)
