"""What a question costs on 10,000,000 touchpoints of 500,000 customers: rows read, times through HTTP, CPU, memory.

The company (company/*.sql) is made inside the engine. With TOUCHLINE_DATA it is made in that folder, unless it is there
already: `TOUCHLINE_DATA=/big/disk python -m tests.bench questions --scale 1`. Under load from elsewhere read cpu_ms: an
idle machine of two cores answers in half of it at best.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from pipeline.collector.customers import CustomersEndpoint
from pipeline.collector.read_key import ReadKey
from pipeline.console.warehouse import Warehouse
from pipeline.listener import Listener, bound, url_of
from pipeline.local.child import Child
from pipeline.local.clickhouse import ClickHouse
from pipeline.local.server import free_port
from pipeline.settings import Settings
from sinks import latest
from sinks.clickhouse import connect
from sinks.migrate import migrate
from tests.bench.company import COMPANY, fill
from tests.bench.engine import Engine
from tests.bench.report import percentile, tell

CUSTOMERS = 500_000
RUNS = 20
CALLS = 200
WARM_UP = 5
SECONDS = 60.0
"""A query is not run again when it has taken as long in all."""

LISTS = {
    "customers_at_risk": "SELECT * FROM customers_at_risk LIMIT 100",
    "onboarding": "SELECT state, count() FROM onboarding GROUP BY state",
    "segments": "SELECT segment, count() FROM segments GROUP BY segment",
    "touchpoints": "SELECT count() FROM touchpoints",
    "journeys": "SELECT count(), sum(visits) FROM journeys",
    "visits": "SELECT count(), sum(touchpoints) FROM visits",
    "customers": "SELECT level, count() FROM customers GROUP BY level",
}
"""Rows by the hundred thousand: counted, or their top, as a person at a screen would."""
ONE = {
    "screen_pop": "SELECT * FROM screen_pop(customer_id = '{customer}')",
    "touchpoints of one": "SELECT * FROM touchpoints WHERE customer_id = '{customer}'",
    "journeys of one": "SELECT * FROM journeys WHERE customer_id = '{customer}'",
    "customers of one": "SELECT * FROM customers WHERE customer_id = '{customer}'",
    "person_touchpoints": "SELECT * FROM person_touchpoints(person = '{customer}')",
    "person_journeys": "SELECT * FROM person_journeys(person = '{customer}')",
}
"""Of one customer, another one at every run."""
SOME = """SELECT customer_id FROM customers WHERE NOT startsWith(customer_id, 'anon:')
ORDER BY cityHash64(customer_id) LIMIT {calls} FORMAT TSV"""


async def run(scale: float = 1.0) -> None:
    """Make the company, then ask everything."""
    with tempfile.TemporaryDirectory() as folder:
        async with _engine(Path(os.environ.get("TOUCHLINE_DATA", folder))) as engine:
            async with await connect(engine.url, "default", engine.password) as client:
                await migrate(client, Settings())
            customers = int(CUSTOMERS * scale)
            if not await engine.count("touchpoints_log"):
                await fill(engine, customers)
            await engine.text("SYSTEM STOP VIEWS")  # what refreshes meanwhile would be measured, too
            await _tables(engine)
            await _front_desk(engine)
            for name, query in ONE.items():
                asked = [f"customer-{number * customers // RUNS:07d}" for number in range(RUNS)]
                await _ask(engine, name, [query.format(customer=customer) for customer in asked])
            for name, query in LISTS.items():
                await _ask(engine, name, [query])
            for name in latest.QUESTIONS:
                await _ask(engine, name, [f"SELECT * FROM {name}"])
            await engine.text("SYSTEM START VIEWS")
            for name in latest.QUESTIONS:
                await engine.text(f"SYSTEM REFRESH VIEW refresh_{name}")
                await engine.text(f"SYSTEM WAIT VIEW refresh_{name}")
                await _ask(engine, f"latest_{name}", [f"SELECT * FROM latest_{name}"])


@asynccontextmanager
async def _engine(folder: Path) -> AsyncIterator[Engine]:
    server = ClickHouse(folder / "clickhouse", free_port())
    await server.prepare()
    child = Child.start("clickhouse", server.command(), server.log, server.environment())
    try:
        while not await server.ready():
            if not child.alive:
                raise RuntimeError(child.tail())
            await asyncio.sleep(0.05)
        url = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(auth=("default", server.password), timeout=1800) as http:
            yield Engine(url, server.password, child.pid, http)
    finally:
        await child.stop(grace=30.0)


async def _tables(engine: Engine) -> None:
    """What the tables hold, and how many parts a query meets."""
    for line in (await engine.text(COMPANY["parts"])).splitlines():
        tell("questions: table", **json.loads(line))


async def _front_desk(engine: Engine) -> None:
    """GET /v1/customers/{customer_id} over HTTP: one customer after the other, another each time."""
    settings = Settings(clickhouse_url=engine.url, clickhouse_user="default", clickhouse_password=engine.password)
    warehouse, seconds, cpu = Warehouse(settings), [], 0.0
    known = (await engine.text(SOME.format(calls=CALLS))).split()
    async with _served(warehouse) as http:
        for number in range(-WARM_UP, CALLS):
            before, began = engine.cpu(), time.perf_counter()
            answer = await http.get(f"/v1/customers/{known[number]}")
            took = time.perf_counter() - began
            answer.raise_for_status()
            if number >= 0:
                seconds.append(took)
                cpu += engine.cpu() - before
    await warehouse.close()
    tell(
        "questions: front desk",
        calls=CALLS,
        p50_ms=1000 * percentile(seconds, 0.5),
        p95_ms=1000 * percentile(seconds, 0.95),
        cpu_ms=1000 * cpu / CALLS,
        load=os.getloadavg()[0],
    )


@asynccontextmanager
async def _served(warehouse: Warehouse) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the endpoint, which listens as the collector's private listener does."""
    endpoint, app = CustomersEndpoint(warehouse, ReadKey("bench")), FastAPI()

    @app.get("/v1/customers/{customer_id}")
    async def customers(request: Request, customer_id: str) -> Response:
        return await endpoint(request, customer_id)

    listener, here = Listener(app, grace_seconds=1), bound("127.0.0.1", 0, "COLLECTOR_PRIVATE_PORT")
    serving = asyncio.create_task(listener.serve(sockets=[here]))
    await listener.listening.wait()
    headers = {"Authorization": "Bearer bench"}
    async with httpx.AsyncClient(base_url=url_of(here), headers=headers, timeout=60) as http:
        yield http
    listener.should_exit = True
    await serving


async def _ask(engine: Engine, name: str, queries: list[str]) -> None:
    """One query warms up, and is told of where it takes too long to be run again; then RUNS are timed, in turn."""
    answers, began = [await engine.ask(queries[0])], time.monotonic()
    while len(answers) <= RUNS and time.monotonic() - began + answers[0].seconds < SECONDS:
        answers.append(await engine.ask(queries[len(answers) % len(queries)]))
    timed = answers[1:] or answers
    seconds, answer = [one.seconds for one in timed], timed[-1]
    tell(
        "questions",
        view=name,
        runs=len(timed),
        rows_read=answer.rows_read,
        mb_read=answer.bytes_read / 1e6,
        rows=answer.rows,
        p50_ms=1000 * percentile(seconds, 0.5),
        p95_ms=1000 * percentile(seconds, 0.95),
        cpu_ms=1000 * min(one.cpu_seconds for one in timed),
        memory_mb=max(one.memory_mb for one in timed),
        load=os.getloadavg()[0],
    )
