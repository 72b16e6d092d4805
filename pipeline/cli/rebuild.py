"""Commands that fold history anew: rebuild, and withdrawing an import as a whole."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipeline.attach import Target, attach
from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, run, tell
from pipeline.cli.progress import progress_bar
from pipeline.errors import UsageError
from pipeline.imports import set_withdrawn
from pipeline.model_file import rules_of
from pipeline.rebuild import Outcome, Progress, Selection, rebuild_customers
from pipeline.settings import load
from sinks import sql
from sinks.clickhouse import Client

imports = typer.Typer(no_args_is_help=True, help="Imports as a whole: list, withdraw, restore.")
app.add_typer(imports, name="imports")

_MOST_NAMED = 10
ImportId = Annotated[str, typer.Argument(help="The import_id that backfill printed; touchline imports list has all.")]


@app.command()
def rebuild(  # noqa: PLR0913, PLR0917 (the options of the command)
    customer: Annotated[list[str] | None, typer.Option(help="A customer_id; may be given several times.")] = None,
    import_id: Annotated[str | None, typer.Option("--import", help="All customers that an import touched.")] = None,
    late: Annotated[bool, typer.Option("--late", help="All customers with late touchpoints.")] = False,
    everyone: Annotated[bool, typer.Option("--all", help="All customers, say after Kafka was lost.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Fold customers anew from all their landed touchpoints. Example: touchline rebuild --customer ann.

    Late touchpoints become part of the journeys. Live traffic goes on meanwhile; the result is as if everything had
    come in order.
    """
    if sum(map(bool, (customer, import_id, late, everyone))) != 1:
        raise UsageError("say which customers: one of --customer ID, --import ID, --late, --all")
    selection = Selection(tuple(customer or ()), import_id, late, everyone)

    async def work(target: Target, client: Client, progress: Progress) -> Outcome:
        return await rebuild_customers(target.kafka_url, client, selection, rules_of(load()), progress)

    _report(work, data, as_json)


@imports.command("withdraw")
def withdraw(import_id: ImportId, data: Data = None, as_json: Json = False) -> None:
    """Make none of an import's touchpoints count any more. Example: touchline imports withdraw 0b6c...

    Journeys, profiles and risk become what they would be without it. `imports restore` takes it back.
    """
    _report(_setting(import_id, True), data, as_json)


@imports.command("restore")
def restore(import_id: ImportId, data: Data = None, as_json: Json = False) -> None:
    """Make a withdrawn import count again. Example: touchline imports restore 0b6c..."""
    _report(_setting(import_id, False), data, as_json)


@imports.command("list")
def list_imports(data: Data = None, as_json: Json = False) -> None:
    """Show every import, the newest first, and whether it counts. Example: touchline imports list."""

    async def work() -> list[tuple[Any, ...]]:
        async with attach(load(), data, roles=False) as target, await target.clickhouse() as client:
            return await client.query(sql.query("imports"))

    columns = ("import_id", "touchpoints", "customers", "occurred_from", "occurred_to", "received_at", "withdrawn_at")
    rows = [dict(zip(columns, row, strict=True)) for row in run(work())]
    if as_json:
        print_json(rows)
        return
    table = Table(*columns, box=None)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    Console(width=max(Console().width, 140)).print(table)


def _setting(import_id: str, withdrawn: bool) -> Callable[[Target, Client, Progress], Awaitable[Outcome]]:
    async def work(target: Target, client: Client, progress: Progress) -> Outcome:
        rules = rules_of(load())
        return await set_withdrawn(target.kafka_url, client, import_id, withdrawn, rules=rules, progress=progress)

    return work


def _report(work: Callable[[Target, Client, Progress], Awaitable[Outcome]], data: Path | None, as_json: bool) -> None:
    """Do the work on the stack, show its progress, and say what it came to."""

    async def attached() -> dict[str, Any]:
        started = time.monotonic()
        async with attach(load(), data) as target, await target.clickhouse() as client:
            with progress_bar() as bar:
                task = bar.add_task("rebuilding", total=None)
                outcome = await work(target, client, lambda done, of: bar.update(task, completed=done, total=of))
        return facts_of(outcome) | {"seconds": round(time.monotonic() - started, 2)}

    facts = run(attached())
    if as_json:
        print_json(facts)
    else:
        tell(
            f"{facts['customers']} customers folded anew from {facts['touchpoints']} touchpoints into "
            f"{facts['journeys']} journeys in {facts['seconds']} s"
        )
        for customer in facts["unfinished"][:_MOST_NAMED]:
            tell(f"  not done, too much traffic meanwhile: {customer}; try again")
    sys.exit(1 if facts["unfinished"] else 0)


def facts_of(outcome: Outcome) -> dict[str, Any]:
    """What `--json` prints of a rebuild."""
    return {
        "customers": outcome.customers,
        "touchpoints": outcome.touchpoints,
        "journeys": outcome.journeys,
        "unfinished": outcome.unfinished,
    }
