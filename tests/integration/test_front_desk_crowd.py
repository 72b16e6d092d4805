"""The front desk and screen_pop say the same of everybody in a made-up crowd, to the letter, whoever adds it up."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from pipeline.console.front_desk import ROWS, FrontDesk
from pipeline.console.warehouse import Warehouse
from pipeline.settings import Settings
from sinks.clickhouse import Client
from tests.integration.front_desk_crowd import Crowd, crowd
from tests.integration.identities_world import database, land
from tests.integration.sinks_samples import block, values
from tests.integration.sinks_server import Server
from tests.integration.test_front_desk import asked_of_the_view

CHUNK = 100


@pytest.fixture(scope="module")
async def client(engine: Server) -> AsyncIterator[Client]:
    async with database(engine) as found:
        yield found


@pytest.fixture(scope="module")
async def everybody(client: Client) -> dict[str, str]:
    """What the view says of each id."""
    made = crowd(round(datetime.now(UTC).timestamp() * 1000), seed=6)
    await _land(client, made)
    return {asked: json.dumps(await asked_of_the_view(client, asked)) for asked in made.ids}


async def _land(client: Client, made: Crowd) -> None:
    for first in range(0, len(made.touchpoints), CHUNK):
        await land(client, *made.touchpoints[first : first + CHUNK], times=1)
    for topic, records in (("alerts", made.alerts), ("customers", made.customers), ("risk", made.risk)):
        await client.insert_avro(f"{topic}_log", block(topic, values(topic, records)), "")
    columns = ("anonymous_id", "customer_id", "linked", "set_by", "comment")
    rows = [(one.anonymous_id, one.customer_id, one.linked, "", "") for one in made.corrections]
    await client.insert_rows("identity_corrections_log", columns, rows)
    for name, withdrawn in (("withdrawn", True), ("restored", True), ("restored", False)):
        await client.insert_rows("withdrawn_imports_log", ("import_id", "withdrawn"), [(name, withdrawn)])


@pytest.mark.parametrize("rows", [ROWS, 3])
async def test_whoever_is_asked_for_both_say_the_same(engine: Server, everybody: dict[str, str], rows: int) -> None:
    """With 3 nearly everybody has too many touchpoints for the desk to add them up itself."""
    settings = Settings(clickhouse_url=engine.url, clickhouse_user="default", clickhouse_password=engine.password)
    warehouse = Warehouse(settings)
    desk = FrontDesk(warehouse, rows)
    told = {asked: json.dumps(await desk.look_up(asked)) for asked in everybody}
    await warehouse.close()
    for asked, row in everybody.items():
        assert told[asked].split(', "') == row.split(', "'), asked


def test_everything_that_a_row_can_tell_is_told_of_somebody(everybody: dict[str, str]) -> None:
    """Else the test above would prove less than it says."""
    rows = [json.loads(row) for row in everybody.values()]
    seen = [row for row in rows if row]
    assert None in rows
    for column in seen[0]:
        told = [row[column] for row in seen]
        assert any(told), column
        assert len({json.dumps(each) for each in told}) > 1, column
