"""The command that takes a file in: backfill."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from pipeline.attach import Target, attach
from pipeline.backfill import BackfillResult, Options
from pipeline.backfill import backfill as send
from pipeline.backfill_journal import Journal
from pipeline.backfill_refusals import SUFFIX
from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, run, tell
from pipeline.cli.progress import progress_bar
from pipeline.errors import UsageError
from pipeline.imports import take_in
from pipeline.landed import wait_until_landed
from pipeline.model_file import rules_of
from pipeline.privacy import Privacy
from pipeline.registry import schema_ids
from pipeline.settings import load
from pipeline.tables.loading import LoadedMapping, load_mapping
from sinks import sql
from sinks.clickhouse import Client

_LANDING_SECONDS = 3600.0
_ERRORS_TOLD = 10

HELP = """Take in a file of touchpoints and wait until all has landed.

\b
touchline backfill history.jsonl              JSON Lines in a touchpoint's fields, also .jsonl.gz
touchline backfill history.csv                CSV whose header names the fields, also .csv.gz
touchline backfill history.parquet            Parquet whose columns are the fields
touchline backfill orders.csv --mapping orders.toml      any table, mapped to the fields
touchline backfill history.csv --errors refused.jsonl    where to list the lines that are refused

\b
A mapping is TOML:
  [file]
  delimiter = ";"                             # also quote, encoding, decimal = ",", thousands = "."
  [fields]
  customer_id = "Customer No"                 # a column
  channel = { constant = "in_store" }
  occurred_at = { column = "Date", format = "%d.%m.%Y %H:%M", zone = "Europe/Berlin" }
  touchpoint = { column = "Kind", lookup = { sale = "purchase", credit = "return" }, default = "visit" }
  value = { column = "Cents", scale = 0.01 }
  [attributes]
  article = "Article"
  [[skip]]
  column = "Status"
  in = ["test", "void"]

The same file again changes nothing, and after an interruption goes on where it stopped. Lines that are refused are
listed in FILE.errors.jsonl and kept as dead letters; then the exit status is 1.
"""


@app.command(help=HELP)
def backfill(
    file: Annotated[Path, typer.Argument(help="JSON Lines (.jsonl, .ndjson) or CSV, also with .gz, or Parquet.")],
    data: Data = None,
    as_json: Json = False,
    mapping: Annotated[Path | None, typer.Option(help="TOML: how the file's columns become fields.")] = None,
    errors: Annotated[
        Path | None, typer.Option(help="Where refused lines are listed, as JSON Lines [FILE.errors.jsonl].")
    ] = None,
) -> None:
    """Take in a file of touchpoints and wait until all has landed."""
    if not file.is_file():
        raise UsageError(f"{file} is not a file")
    if errors is not None and any(errors.resolve() == each.resolve() for each in (file, mapping) if each is not None):
        raise UsageError(f"--errors {errors} would overwrite what is read: name another file")
    loaded = load_mapping(mapping) if mapping is not None else None
    facts = run(_backfill(file, data, loaded, errors or file.with_name(file.name + SUFFIX)))
    if as_json:
        print_json(facts)
    else:
        _show(facts)
    sys.exit(1 if facts["rejected"] else 0)


async def _backfill(file: Path, data: Path | None, mapping: LoadedMapping | None, errors: Path) -> dict[str, Any]:
    started = time.monotonic()
    async with attach(load(), data) as target:
        with progress_bar() as bar:
            now = int(time.time() * 1000)
            journal = Journal((target.data or load().data) / "backfills", tell)
            options = Options(mapping, journal, errors, Privacy.of(load()), tell)
            result = await _sent(file, target, now, bar, options)
            async with await target.clickhouse() as client:
                await _until_landed(target, client, bar)
                query, moments = sql.query("landed_of_import"), journal.moments or [now]
                [(landed,)] = await client.query(query, {"import_id": result.import_id, "moments": moments})
                rebuilt = await _taken_in(target, client, result.import_id, bar)
            journal.close()
    return _facts(result, landed, rebuilt, time.monotonic() - started)


async def _sent(file: Path, target: Target, now: int, bar: Progress, options: Options) -> BackfillResult:
    task = bar.add_task("sending", total=None)
    return await send(
        file,
        target.kafka_url,
        now=now,
        ids=await schema_ids(load()),
        progress=lambda done, total: bar.update(task, completed=done, total=total),
        options=options,
    )


async def _until_landed(target: Target, client: Client, bar: Progress) -> None:
    task = bar.add_task("landing", total=None)
    await wait_until_landed(
        target.kafka_url,
        client,
        timeout=_LANDING_SECONDS,
        progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
    )


async def _taken_in(target: Target, client: Client, import_id: str, bar: Progress) -> int:
    task = bar.add_task("taking in what was late", total=None)
    outcome = await take_in(
        target.kafka_url,
        client,
        import_id,
        rules_of(load()),
        lambda done, total: bar.update(task, completed=done, total=total),
    )
    return outcome.customers


def _facts(result: BackfillResult, landed: int, rebuilt: int, seconds: float) -> dict[str, Any]:
    return {
        "lines": result.lines,
        "accepted": result.accepted,
        "rejected": result.rejected,
        "skipped": result.skipped,
        "resumed": result.resumed,
        "duplicates": result.accepted - landed,
        "landed": landed,
        "import_id": result.import_id,
        "masked": result.masked,
        "rebuilt": rebuilt,
        "seconds": round(seconds, 2),
        "errors": [dataclasses.asdict(error) for error in result.errors],
        "errors_file": str(result.errors_file) if result.errors_file else None,
    }


def _show(facts: dict[str, Any]) -> None:
    if facts["rebuilt"]:
        tell(f"{facts['rebuilt']} customers folded anew, to take in what was older than their history")
    skipped = f", {facts['skipped']} left out by the mapping" if facts["skipped"] else ""
    tell(
        f"{facts['lines']} lines: {facts['accepted']} accepted, {facts['rejected']} refused{skipped}, "
        f"{facts['duplicates']} of them were there already; {facts['landed']} landed in {facts['seconds']} s"
    )
    if facts["masked"]:
        masked = ", ".join(f"{kind} {count}" for kind, count in sorted(facts["masked"].items()))
        tell(f"personal data masked or hashed: {masked}")
    for error in facts["errors"][:_ERRORS_TOLD]:
        tell(f"  line {error['line']}: {error['message']} [{error['code']}]")
    if facts["errors_file"]:
        tell(f"  refused lines are listed in {facts['errors_file']}")
    elif len(facts["errors"]) > _ERRORS_TOLD:
        tell(f"  ... and more: touchline rejected list --import {facts['import_id']}")
