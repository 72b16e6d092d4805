"""The command that proves that no data was lost: audit."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from pipeline.attach import attach
from pipeline.audit import Audit
from pipeline.audit import audit as prove
from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, run, tell
from pipeline.cli.forget import secret_of
from pipeline.registry import reading_ids
from pipeline.settings import load


@app.command()
def audit(
    data: Data = None,
    as_json: Json = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Also compare every touchpoint's id with the view, and every profile's count."),
    ] = False,
) -> None:
    """Prove that what the topics hold is in ClickHouse, or a dead letter. Example: touchline audit --json."""

    async def work() -> Audit:
        async with attach(load(), data) as target, await target.clickhouse() as client:
            forget_key = secret_of(load(), target)
            return await prove(target.kafka_url, client, deep=deep, ids=reading_ids(load()), forget_key=forget_key)

    result = run(work())
    if as_json:
        print_json(result.to_json())
    else:
        _show_audit(result)
    sys.exit(0 if result.ok else 1)


def _show_audit(result: Audit) -> None:
    columns = ("records", "landed", "dead_letters", "forgotten", "lost", "difference")
    table = Table("topic", "part", "epoch", "offsets", *columns, box=None)
    for line in result.partitions:
        offsets = f"{line.first_offset}..{line.end_offset}"
        numbers = (str(getattr(line, column)) for column in columns)
        table.add_row(line.topic, str(line.partition), str(line.epoch), offsets, *numbers)
    Console(width=max(Console().width, 110)).print(table)
    for note in result.notes:
        tell(note)
    tell("nothing is missing" if result.ok else "something is missing: see the differences and notes above")
