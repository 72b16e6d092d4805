"""The front desk asks for the parts of screen_pop one by one: its answer is the view's, whatever id is asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from pipeline.console.front_desk import FrontDesk
from pipeline.console.warehouse import Warehouse
from pipeline.identities import Correction, correct
from pipeline.settings import Settings
from sinks.clickhouse import Client
from tests.integration.identities_world import database, land
from tests.integration.sinks_samples import alert
from tests.integration.sinks_server import clickhouse
from tests.integration.test_screen_pop import ago, tell

ODD = 'o\'dd "id"\\\n\t[x], {y}'
"""What an id may hold that stands for something else in a list of ClickHouse's."""

_ROW = """
SELECT * FROM screen_pop(customer_id = {id:String})
SETTINGS date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0
"""


@pytest.fixture(scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, str]]:
    async with clickhouse(tmp_path_factory.mktemp("clickhouse")) as found:
        yield found


@pytest.fixture(scope="module")
async def client(server: tuple[str, str]) -> AsyncIterator[Client]:
    async with database(server, "touchline") as found:
        await land(
            found,
            ago("anon:d1", 20, "advertising.ad_click", anonymous_id="d1"),
            ago("ann", 10, "web.purchase", anonymous_id="d1", value=9.5, currency="EUR", outcome="converted"),
            ago("ann", 9, "helpdesk.ticket_opened", reference="t1"),
            ago("ann", 1, "survey.nps", rating_metric="nps", rating_score=3.0, sentiment=-0.5),
            ago("anon:d2", 3, "web.search", anonymous_id="d2"),
            ago("ann", 2, "web.page_view", anonymous_id="d2"),
            ago("bob", 2, "web.page_view", anonymous_id="d2"),
            ago("anon:d3", 3, "web.search", anonymous_id="d3"),
            ago("bob", 2, "web.search", anonymous_id="d3"),
            ago("anon:d4", 3, "web.search", anonymous_id="d4"),
            ago("d1", 5, "phone.complaint"),
            ago(f"anon:{ODD}", 3, "web.search", anonymous_id=ODD),
            ago(ODD, 2, "web.search", anonymous_id=ODD),
            ago("eve", 2, "web.search", anonymous_id="d5", source="backfill", import_id="wrong"),
        )
        await tell(found, alert(1, customer_id="ann"))
        await correct(found, Correction("d3", "bob", linked=False))
        await correct(found, Correction("d4", "cat", linked=True))
        await found.insert_rows("withdrawn_imports_log", ("import_id", "withdrawn"), [("wrong", True)])
        yield found


@pytest.fixture(scope="module")
async def desk(server: tuple[str, str], client: Client) -> AsyncIterator[FrontDesk]:
    url, password = server
    warehouse = Warehouse(Settings(clickhouse_url=url, clickhouse_user="default", clickhouse_password=password))
    yield FrontDesk(warehouse)
    await warehouse.close()


async def asked_of_the_view(client: Client, asked: str) -> dict[str, Any] | None:
    """The row of screen_pop, as the engine writes it."""
    body = await client.raw(_ROW, {"id": asked}, fmt="JSONEachRow")
    return json.loads(body) if body else None


KNOWN = {
    "ann": ("ann", ["anon:d1"]),
    "anon:d1": ("ann", ["anon:d1"]),
    "d1": ("d1", []),
    "bob": ("bob", []),
    "d2": ("anon:d2", []),
    "anon:d3": ("anon:d3", []),
    "cat": None,
    "d4": ("cat", ["anon:d4"]),
    ODD: (ODD, [f"anon:{ODD}"]),
    f"anon:{ODD}": (ODD, [f"anon:{ODD}"]),
    "eve": None,
    "d5": None,
    "nobody": None,
    "": None,
    "anon:": None,
}
"""Who is found, with which other keys: d1 is a customer, too; d2 is shared; d3 was taken back; d4 linked by hand."""


@pytest.mark.parametrize("asked", KNOWN)
async def test_the_front_desk_says_what_the_view_says(client: Client, desk: FrontDesk, asked: str) -> None:
    row, told = await asked_of_the_view(client, asked), await desk.look_up(asked)
    assert told == row
    assert list(told or ()) == list(row or ())
    assert (told and (told["customer_id"], told["linked_ids"])) == KNOWN[asked]


async def test_the_owners_of_devices_are_the_active_links_of_identities(client: Client) -> None:
    devices = ["d1", "d2", "d3", "d4", "d5", ODD, "none"]
    active = "SELECT anonymous_id, customer_id FROM identities WHERE status = 'active' ORDER BY anonymous_id"
    owned = "SELECT device, owner FROM device_owners(devices = {devices:Array(String)}) ORDER BY device"
    assert await client.query(owned, {"devices": devices}) == await client.query(active)
