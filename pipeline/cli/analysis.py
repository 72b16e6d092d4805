"""Commands that ask ClickHouse: sql."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.attach import attach
from pipeline.cli import app
from pipeline.cli.common import Data, run, write
from pipeline.csv_cells import neutral_csv
from pipeline.settings import load
from sinks.clickhouse import format_in


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT; tables and views of `touchline` need no prefix.")],
    format_name: Annotated[str, typer.Option("--format", help="Any output format of ClickHouse.")] = "PrettyCompact",
    data: Data = None,
) -> None:
    """Ask ClickHouse, read-only. Example: touchline sql 'SELECT * FROM journeys LIMIT 5' --format JSONEachRow.

    In CSV a text that a spreadsheet would run as a formula gets an apostrophe in front; other formats are exact.
    """
    answer = run(_ask(query, format_name, data))
    is_csv = (format_in(query) or format_name).upper().startswith("CSV")
    write(neutral_csv(answer) if is_csv else answer)


async def _ask(query: str, format_name: str, data: Path | None) -> bytes:
    async with attach(load(), data, roles=False) as target, await target.clickhouse() as client:
        return await client.read_only(query, format_name)
