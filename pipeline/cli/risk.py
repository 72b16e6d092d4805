"""The command risk: every customer's score at a moment."""

from __future__ import annotations

import csv
import json
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline import scoring
from pipeline.attach import attach
from pipeline.cli import app
from pipeline.cli.common import Data, print_json, run
from pipeline.cli.times import moment_of, text_of
from pipeline.csv_cells import neutral
from pipeline.errors import UsageError
from pipeline.model_file import rules_of
from pipeline.outlook import next_change, ways_down
from pipeline.reasons import assess
from pipeline.risk import is_lasting
from pipeline.scoring import Scored
from pipeline.settings import Settings, load

_COLUMNS = ("customer_id", "as_of", "score", "level", "reasons", "action", "model_version")
_TABLE_WIDTH = 160


class Format(StrEnum):
    """How the scores are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


risk_app = typer.Typer(invoke_without_command=True, rich_markup_mode=None)
app.add_typer(risk_app, name="risk")


@risk_app.callback()
def risk(  # noqa: PLR0913 (each an option)
    context: typer.Context,
    *,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Moment, RFC 3339 with offset; only touchpoints up to it count [now]."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print it.")] = Format.TABLE,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the N highest.")] = None,
    customer: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this one, with what would bring the score down, as JSON.")
    ] = None,
    data: Data = None,
) -> None:
    """Score every customer's risk of leaving. Example: touchline risk --as-of 2026-03-01T00:00:00Z --format csv."""
    if context.invoked_subcommand is not None:
        return
    moment = moment_of(as_of, "--as-of")
    now = time.time_ns() // 1_000_000
    if customer is not None:
        print_json(run(_look(load(), data, moment, now, customer)))
        return
    found = run(_score(load(), data, moment, now, limit))
    _PRINT[form](found, text_of(now if moment is None else moment))


async def _score(
    settings: Settings, data: Path | None, moment: int | None, now: int, limit: int | None
) -> list[Scored]:
    rules = rules_of(settings)
    async with attach(settings, data) as target, await target.clickhouse() as client:
        pages = scoring.stored(client, now, rules.model) if moment is None else scoring.at(client, moment, rules)
        return await scoring.highest(pages, limit)


async def _look(settings: Settings, data: Path | None, moment: int | None, now: int, customer: str) -> dict[str, Any]:
    """One customer's score, whether it lasts, when its level changes by itself, and what would bring it down."""
    rules, at = rules_of(settings), now if moment is None else moment
    async with attach(settings, data) as target, await target.clickhouse() as client:
        profile = await scoring.profile_now(client, customer) if moment is None else None
        if moment is not None:
            profile = await scoring.profile_then(client, customer, moment, rules)
    if profile is None:
        raise UsageError(f"no customer {customer!r} had been seen by {text_of(at)}")
    found, change = assess(profile, at, rules.model), next_change(profile, at, rules.model)
    return {
        **Scored(customer, found).to_json(text_of(at)),
        "lasting": is_lasting(profile, found.level, at, rules.model),
        "next_change": None if change is None else {"at": text_of(change.moment), "level": change.level},
        "falls_to_medium_if": [way._asdict() for way in ways_down(profile, at, rules.model)],
    }


def _print_json(found: list[Scored], as_of: str) -> None:
    print_json([scored.to_json(as_of) for scored in found])


def _print_csv(found: list[Scored], as_of: str) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(_COLUMNS)
    for scored in found:
        row = scored.to_json(as_of)
        out.writerow([neutral(json.dumps(row[name]) if name == "reasons" else row[name]) for name in _COLUMNS])


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
