"""The command risk: every customer's score at a moment."""

from __future__ import annotations

import csv
import json
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline import scoring
from pipeline.attach import attach
from pipeline.cli import app
from pipeline.cli.common import Data, print_json, run
from pipeline.cli.times import moment_of, text_of
from pipeline.customer import Rules
from pipeline.scoring import Scored
from pipeline.settings import Settings, load

_COLUMNS = ("customer_id", "as_of", "score", "level", "reasons", "action", "model_version")
_TABLE_WIDTH = 160


class Format(StrEnum):
    """How the scores are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@app.command()
def risk(
    as_of: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Moment, RFC 3339 with offset; only touchpoints up to it count [now]."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TABLE,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the N highest.")] = None,
    data: Data = None,
) -> None:
    """Score every customer's risk of leaving. Example: touchline risk --as-of 2026-03-01T00:00:00Z --format csv."""
    moment = moment_of(as_of, "--as-of")
    now = time.time_ns() // 1_000_000
    found = run(_score(load(), data, moment, now, limit))
    _PRINT[form](found, text_of(now if moment is None else moment))


async def _score(
    settings: Settings, data: Path | None, moment: int | None, now: int, limit: int | None
) -> list[Scored]:
    rules = Rules.of(settings)
    async with attach(settings, data) as target, await target.clickhouse() as client:
        pages = scoring.stored(client, now, rules.model) if moment is None else scoring.at(client, moment, rules)
        return await scoring.highest(pages, limit)


def _print_json(found: list[Scored], as_of: str) -> None:
    print_json([scored.to_json(as_of) for scored in found])


def _print_csv(found: list[Scored], as_of: str) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(_COLUMNS)
    for scored in found:
        row = scored.to_json(as_of)
        out.writerow([*(json.dumps(row[name]) if name == "reasons" else row[name] for name in _COLUMNS)])


def _print_table(found: list[Scored], as_of: str) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _TABLE_WIDTH
    table = Table("customer", "score", "level", "why", "action", title=f"Risk of leaving at {as_of}")
    for customer_id, assessed in found:
        why = "; ".join(f"{reason.text} ({reason.points:+g})" for reason in assessed.reasons)
        table.add_row(escape(customer_id), f"{assessed.score:.2f}", assessed.level, escape(why), assessed.action)
    console.print(table)


_PRINT = {Format.JSON: _print_json, Format.CSV: _print_csv, Format.TABLE: _print_table}
