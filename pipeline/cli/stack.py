"""Commands that bring up the whole product on this machine: up and demo."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Annotated, Any

import typer

from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, run, tell
from pipeline.errors import BrokenInvariantError
from pipeline.settings import load


@app.command()
def up(data: Data = None, as_json: Json = False) -> None:
    """Run Kafka, ClickHouse and every role on this machine until Ctrl-C. Example: touchline up --data ./shop."""
    run(_up(data, as_json))


@app.command()
def demo(
    customers: Annotated[int, typer.Option(min=1, metavar="N", help="Customers of the simulated company.")] = 3_000,
    touchpoints: Annotated[int, typer.Option(min=1, metavar="N", help="Their touchpoints, about.")] = 100_000,
    seed: Annotated[int, typer.Option(metavar="S", help="Another seed, another company.")] = 1,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Run a simulated company through the whole product, here and now. Example: touchline demo --customers 500."""
    from pipeline.demo import report  # noqa: PLC0415 (only this command needs the simulator and the report)
    from pipeline.demo.progress import Phases  # noqa: PLC0415
    from pipeline.demo.run import Plan  # noqa: PLC0415
    from pipeline.demo.run import demo as play  # noqa: PLC0415

    with Phases() as phases:
        outcome = run(play(Plan(customers, touchpoints, seed, data), load(), phases))
    if as_json:
        print_json(outcome.to_json())
    else:
        report.show(outcome)
    if outcome.problems:
        raise BrokenInvariantError(f"{'; '.join(outcome.problems)}; the logs are in {outcome.data}")


async def _up(data: Data, as_json: bool) -> None:
    from pipeline.local.installation import Installation  # noqa: PLC0415 (the extra `local` may be absent)

    settings = load()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    starting = asyncio.create_task(_started(Installation(settings, data or settings.data)))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting
        return
    installation = await starting
    try:
        facts = _facts(installation.endpoints)
        if as_json:
            print_json(facts)
        else:
            tell(_shown(facts))
        watching = asyncio.create_task(installation.watch())
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
    finally:
        await installation.stop()


async def _started(installation: Any) -> Any:
    return await installation.__aenter__()


def _facts(endpoints: Any) -> dict[str, Any]:
    roles = endpoints.extra["roles"]
    return {
        "collector_url": endpoints.extra["collector_url"],
        "console_url": endpoints.extra["private_url"] + "/console",
        "write_key": endpoints.extra["write_key"],
        "read_key": endpoints.extra["read_key"],
        "kafka_url": endpoints.kafka_url,
        "clickhouse_url": endpoints.clickhouse_url,
        "clickhouse_user": endpoints.clickhouse_user,
        "clickhouse_password": endpoints.clickhouse_password,
        "data": str(endpoints.data),
        "pids": {**endpoints.pids, **roles},
        "health": endpoints.extra["health"],
    }


def _shown(facts: dict[str, Any]) -> str:
    ask = "touchline sql 'SELECT * FROM journeys LIMIT 10'"
    return (
        f"Touchline runs on {facts['data']}; Ctrl-C stops it.\n"
        f"  send events    {facts['collector_url']}/v1/touchpoints   (described at {facts['collector_url']}/docs)\n"
        f"  write key      {facts['write_key']}\n"
        f"  console        {facts['console_url']}   sign in with the read key\n"
        f"  read key       {facts['read_key']}\n"
        f"  ClickHouse     {facts['clickhouse_url']}   as {facts['clickhouse_user']}, {facts['clickhouse_password']}\n"
        f"  Kafka          {facts['kafka_url']}\n"
        f"  ask            {ask} --data {facts['data']}"
    )
