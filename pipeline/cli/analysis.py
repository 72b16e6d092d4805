"""Commands that ask ClickHouse: sql."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.attach import attach
from pipeline.cli import app
from pipeline.cli.common import Data, run, write
from pipeline.settings import load


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT; tables and views of `touchline` need no prefix.")],
    format_name: Annotated[str, typer.Option("--format", help="Any output format of ClickHouse.")] = "PrettyCompact",
    data: Data = None,
) -> None:
    """Ask ClickHouse, read-only. Example: touchline sql 'SELECT * FROM journeys LIMIT 5' --format JSONEachRow."""
    write(run(_ask(query, format_name, data)))


async def _ask(query: str, format_name: str, data: Path | None) -> bytes:
    async with attach(load(), data, roles=False) as target, await target.clickhouse() as client:
        return await client.read_only(query, format_name)
