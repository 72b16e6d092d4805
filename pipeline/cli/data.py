"""Commands that move data and prove that none was lost: backfill and audit."""

from __future__ import annotations

import dataclasses
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from pipeline.attach import Target, attach
from pipeline.audit import Audit
from pipeline.audit import audit as prove
from pipeline.backfill import BackfillResult
from pipeline.backfill import backfill as send
from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, run, tell
from pipeline.cli.progress import progress_bar
from pipeline.errors import UsageError
from pipeline.imports import take_in
from pipeline.landed import wait_until_landed
from pipeline.model_file import rules_of
from pipeline.registry import reading_ids, schema_ids
from pipeline.settings import load
from sinks import sql

_LANDING_SECONDS = 3600.0


@app.command()
def backfill(
    file: Annotated[Path, typer.Argument(help="JSON Lines (.jsonl, .ndjson) or CSV, also with .gz.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take in a file of touchpoints and wait until all has landed. Example: touchline backfill history.csv.

    The same file again changes nothing. Lines that are refused are kept as dead letters; then the exit status is 1.
    """
    if not file.is_file():
        raise UsageError(f"{file} is not a file")
    facts = run(_backfill(file, data))
    if as_json:
        print_json(facts)
    else:
        _show_backfill(facts)
    sys.exit(1 if facts["rejected"] else 0)


async def _backfill(file: Path, data: Path | None) -> dict[str, Any]:
    started = time.monotonic()
    async with attach(load(), data) as target:
        with progress_bar() as bar:
            now = int(time.time() * 1000)
            result = await _sent(file, target, now, bar)
            async with await target.clickhouse() as client:
                task = bar.add_task("landing", total=None)
                await wait_until_landed(
                    target.kafka_url,
                    client,
                    timeout=_LANDING_SECONDS,
                    progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
                )
                [(landed,)] = await client.query(
                    sql.query("landed_of_import"), {"import_id": result.import_id, "now": now}
                )
                task = bar.add_task("taking in what was late", total=None)
                rebuilt = await take_in(
                    target.kafka_url,
                    client,
                    result.import_id,
                    rules_of(load()),
                    lambda done, total: bar.update(task, completed=done, total=total),
                )
    return {
        "lines": result.lines,
        "accepted": result.accepted,
        "rejected": result.rejected,
        "duplicates": result.accepted - landed,
        "landed": landed,
        "import_id": result.import_id,
        "rebuilt": rebuilt.customers,
        "seconds": round(time.monotonic() - started, 2),
        "errors": [dataclasses.asdict(error) for error in result.errors],
    }


async def _sent(file: Path, target: Target, now: int, bar: Progress) -> BackfillResult:
    task = bar.add_task("sending", total=None)
    return await send(
        file,
        target.kafka_url,
        now=now,
        ids=await schema_ids(load()),
        progress=lambda done, total: bar.update(task, completed=done, total=total),
    )


def _show_backfill(facts: dict[str, Any]) -> None:
    if facts["rebuilt"]:
        tell(f"{facts['rebuilt']} customers folded anew, to take in what was older than their history")
    tell(
        f"{facts['lines']} lines: {facts['accepted']} accepted, {facts['rejected']} refused, "
        f"{facts['duplicates']} of them were there already; {facts['landed']} landed in {facts['seconds']} s"
    )
    for error in facts["errors"][:10]:
        tell(f"  line {error['line']}: {error['message']} [{error['code']}]")
    if len(facts["errors"]) > 10:
        tell(f"  ... and more: touchline rejected list --import {facts['import_id']}")


@app.command()
def audit(
    data: Data = None,
    as_json: Json = False,
    deep: Annotated[bool, typer.Option("--deep", help="Also compare every touchpoint's id with the view.")] = False,
) -> None:
    """Prove that what the topics hold is in ClickHouse, or a dead letter. Example: touchline audit --json."""

    async def work() -> Audit:
        async with attach(load(), data) as target, await target.clickhouse() as client:
            return await prove(target.kafka_url, client, deep=deep, ids=reading_ids(load()))

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
    tell("nothing is missing" if result.ok else "something is missing: see the differences above")
