"""Commands on all that is held on one person: forget it, or export it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.attach import Target, attach
from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, run, tell, write
from pipeline.errors import UsageError
from pipeline.export import export as export_person
from pipeline.export import held
from pipeline.forget import Outcome, Wanted, look
from pipeline.forget import forget as forget_person
from pipeline.registry import reading_ids
from pipeline.settings import Settings, load

Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="A customer_id, or anon:<anonymous_id>.")]


@app.command()
def forget(  # noqa: PLR0913, PLR0917 (the options of the command)
    customer: Customer,
    refuse_later: Annotated[
        bool, typer.Option("--refuse-later", help="Refuse all later events; only a keyed hash of the id is kept.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what there is, and change nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask: it cannot be undone.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Delete all that is held on a person, linked anonymous ids included. Example: touchline forget ann --yes.

    States, compacted topics and ClickHouse are clean when it returns; it prints by when the other topics will be.
    """
    if not (dry_run or yes):
        _ask()
    settings = load()

    async def work() -> Outcome:
        async with attach(settings, data) as target, await target.clickhouse() as client:
            wanted = wanted_of(customer, settings, target, refuse_later=refuse_later)
            do = look if dry_run else forget_person
            return await do(target.kafka_url, client, wanted, reading_ids(settings))

    started = time.monotonic()
    outcome = run(work())
    facts = facts_of(outcome) | {"seconds": round(time.monotonic() - started, 2)}
    if as_json:
        print_json(facts)
    else:
        _show(facts)
    sys.exit(0 if outcome.ok else 1)


@app.command()
def export(
    customer: Customer,
    out: Annotated[Path | None, typer.Option("--out", help="File to write, for its owner only; else print.")] = None,
    data: Data = None,
) -> None:
    """Write all that is held on a person as JSON, linked anonymous ids included. Example: touchline export ann."""
    settings = load()

    async def work() -> dict[str, Any]:
        async with attach(settings, data, roles=False) as target, await target.clickhouse() as client:
            wanted = wanted_of(customer, settings, target)
            return await export_person(target.kafka_url, client, wanted, reading_ids(settings))

    exported = run(work())
    text = json.dumps(exported, ensure_ascii=False, indent=2) + "\n"
    if out is None:
        write(text.encode("utf-8", "surrogatepass"))
    else:
        _write_file(out, text)
    tell("held: " + ", ".join(f"{name} {count}" for name, count in held(exported).items()))


def _write_file(path: Path, text: str) -> None:
    """Write a file that nobody else can read, in place of none: nothing is overwritten."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        path.write_text(text, "utf-8", "surrogatepass")
    except FileExistsError as error:
        raise UsageError(f"--out: {path} exists already: name another file") from error
    except OSError as error:
        raise UsageError(f"--out: {path} cannot be written: {error.strerror}") from error


def wanted_of(customer: str, settings: Settings, target: Target, *, refuse_later: bool = False) -> Wanted:
    """Whom to forget, under the secrets of the installation."""
    return Wanted(
        customer,
        refuse_later=refuse_later,
        secret=secret_of(settings, target),
        identity_key=settings.identity_key,
        region=settings.phone_region or None,
        cluster=settings.clickhouse_cluster,
    )


def secret_of(settings: Settings, target: Target) -> str:
    """The secret of the hashes of forgotten customers: the setting's, else that of the local stack."""
    if settings.forget_key or target.data is None:
        return settings.forget_key
    from pipeline.local.password import forget_key_of  # noqa: PLC0415 (the extra `local` may be absent)

    return forget_key_of(target.data)


def facts_of(outcome: Outcome) -> dict[str, Any]:
    """What `--json` prints: counts, and no id."""
    until = {
        topic: None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")
        for topic, moment in outcome.kept_until.items()
    }
    return {
        "ok": outcome.ok,
        "forget_id": None if outcome.dry_run else outcome.forget_id,
        "dry_run": outcome.dry_run,
        "refuse_later": outcome.refuse_later,
        "keys": outcome.keys,
        "rows": outcome.removed,
        "left": outcome.left,
        "states": outcome.states,
        "kept_until": until,
    }


def _ask() -> None:
    if not sys.stdin.isatty():
        raise UsageError("forgetting cannot be undone: add --yes, or look first with --dry-run")
    if not typer.confirm("Delete all that is held on this person? It cannot be undone.", err=True):
        raise UsageError("nothing was forgotten")


def _show(facts: dict[str, Any]) -> None:
    did = "would be removed" if facts["dry_run"] else "removed"
    tell(f"{facts['keys']} keys of the person; rows {did}:")
    for table, count in facts["rows"].items():
        tell(f"  {table:26}{count:>8}" + (f"  {facts['left'][table]} left" if facts["left"].get(table) else ""))
    tell("keys that still hold a value in the compacted topics:")
    for topic, count in facts["states"].items():
        tell(f"  {topic:36}{count:>8}")
    tell("what the files of the topics hold until:")
    for topic, moment in facts["kept_until"].items():
        tell(f"  {topic:36}{moment or 'for ever: set a retention'}")
    if not facts["dry_run"]:
        tell(f"forgotten in {facts['seconds']} s" if facts["ok"] else "something is left: do the same again")
