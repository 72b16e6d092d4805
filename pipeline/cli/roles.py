"""Commands that run one role for production: collector, worker, migrate."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from pipeline import logs, roles
from pipeline.cli import app
from pipeline.cli.common import run, tell
from pipeline.registry import schema_ids
from pipeline.settings import load
from sinks.migrate import migrate as apply_migrations


class Role(StrEnum):
    """What a worker may do."""

    CUSTOMERS = "customers"
    ALERTS = "alerts"
    DELIVERY = "delivery"
    LANDING = "landing"


@app.command()
def collector() -> None:
    """Take events in over HTTP until SIGTERM. Example: TOUCHLINE_KAFKA_URL=kafka:9092 touchline collector."""
    logs.configure(load().log_level, load().log_format, "collector")
    run(roles.run_collector(load()))


@app.command()
def worker(role: Annotated[Role, typer.Argument(help="What this worker does.")]) -> None:
    """Run one role until SIGTERM. Example: touchline worker customers."""
    logs.configure(load().log_level, load().log_format, role)
    run(roles.ROLES[role](load()))


@app.command()
def migrate() -> None:
    """Make the topics, register the schemas, bring ClickHouse to this version. Example: touchline migrate."""
    logs.configure(load().log_level, load().log_format, "migrate")

    async def work() -> list[str]:
        settings = load()
        await schema_ids(settings)
        await roles.prepare_topics(settings)
        async with await roles.clickhouse_of(settings) as client:
            return await apply_migrations(client, settings)

    applied = run(work())
    tell("applied " + ", ".join(applied) if applied else "nothing to apply")
