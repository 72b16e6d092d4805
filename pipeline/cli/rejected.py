"""The commands rejected list, show and replay: the dead letters, why they are, and sending them again after a fix."""

from __future__ import annotations

import sys
import time
import uuid
from base64 import b64encode
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from pipeline.attach import Target, attach
from pipeline.backfill_sort import Sorter
from pipeline.channels.registry import sources_of
from pipeline.cli import app, rejected_tables
from pipeline.cli.common import Data, Json, print_json, run, tell
from pipeline.cli.progress import progress_bar
from pipeline.cli.times import moment_of, text_of
from pipeline.errors import UnavailableError, UsageError
from pipeline.landed import wait_until_landed
from pipeline.letters import Envelope, Letter, Replaying
from pipeline.originals import readable
from pipeline.privacy import Privacy
from pipeline.publisher import Publisher
from pipeline.registry import reading_ids, schema_ids
from pipeline.replay import Replay, ReplayResult
from pipeline.settings import load
from schemas.contracts import SUBJECTS
from schemas.ids import Ids
from sinks.letters import DeadLetters, Pattern, Where

_PATTERNS = 20
_MOST_IDS = 100
_PATIENCE_SECONDS = 60.0
_LANDING_SECONDS = 3600.0

Code = Annotated[str | None, typer.Option("--code", metavar="CODE", help="Only this reason, such as time_future.")]
Source = Annotated[str | None, typer.Option("--source", metavar="SOURCE", help="Only this way in, or agent.")]
Topic = Annotated[str | None, typer.Option("--topic", metavar="TOPIC", help="Only what was read from this topic.")]
Import = Annotated[str | None, typer.Option("--import", metavar="ID", help="Only what this backfill brought.")]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Refused at or after, RFC 3339.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Refused before, RFC 3339.")]

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(group, name="rejected", help="Show what was refused and why; send it again after a fix.")


@group.command("list")
def list_letters(  # noqa: PLR0913 (its options)
    *,
    code: Code = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    import_id: Import = None,
    topic: Topic = None,
    replayed: Annotated[
        bool | None, typer.Option("--replayed/--not-replayed", help="Only those sent again already, or not yet.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, metavar="N", help="The N newest.")] = 20,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Count the dead letters by reason and list the newest. Example: touchline rejected list --code time_future."""
    where = replace(
        _where(code=code, source=source, since=since, until=until, import_id=import_id, topic=topic), replayed=replayed
    )
    total, patterns, letters = run(_listed(where, limit, data))
    if as_json:
        print_json(
            {
                "total": total,
                "patterns": [{**each._asdict(), "latest": text_of(each.latest)} for each in patterns],
                "letters": [_with_times(letter) for letter in letters],
            }
        )
    else:
        rejected_tables.show(total, patterns, letters)


@group.command()
def show(
    dead_letter_id: Annotated[str, typer.Argument(metavar="ID", help="The dead letter's id.")],
    original: Annotated[bool, typer.Option("--original", help="Print only what came in, byte for byte.")] = False,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Show one dead letter with what came in. Example: touchline rejected show 0b9f... --original > event.json."""
    [wanted] = _ids([dead_letter_id])
    letter, ids = run(_found(wanted, data))
    if original:
        sys.stdout.buffer.write(letter.original)
        sys.stdout.buffer.flush()
    elif as_json:
        kind, text = readable(letter, ids)
        came_in = {"original_kind": kind, "original_text": text, "original": b64encode(letter.original).decode()}
        print_json({**_with_times(letter), **came_in})
    else:
        rejected_tables.show_letter(letter, readable(letter, ids))


@group.command()
def replay(  # noqa: PLR0913 (its options)
    ids: Annotated[list[str] | None, typer.Argument(metavar="ID", help="Only these; else all that match.")] = None,
    *,
    code: Code = None,
    source: Source = None,
    since: Since = None,
    until: Until = None,
    import_id: Import = None,
    topic: Topic = None,
    again: Annotated[bool, typer.Option("--again", help="Also those that were replayed before.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also what ClickHouse itself refused, after a change there.")
    ] = False,
    allow: Annotated[bool, typer.Option("--allow", help="Also what its write key was not allowed to send.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would become of them.")] = False,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Send dead letters again, by today's rules, and wait until they have landed.

    Each counts once however often it is sent. What is refused again stays; then the exit status is 1.
    Example: touchline rejected replay --code unknown_channel --dry-run.
    """
    where = _where(code=code, source=source, since=since, until=until, import_id=import_id, topic=topic)
    if ids and where != Where():
        raise UsageError("give ids or filters, not both")
    where = replace(where, ids=_ids(ids or []), replayed=None if again else False)
    started = time.monotonic()
    result = run(_replayed(where, data, force=force, allow=allow, dry_run=dry_run))
    if as_json:
        print_json({**asdict(result), "dry_run": dry_run, "seconds": round(time.monotonic() - started, 2)})
    else:
        _tell_replayed(result, dry_run)
    sys.exit(1 if result.refused else 0)


def _where(  # noqa: PLR0913 (one for each filter)
    *,
    code: str | None,
    source: str | None,
    since: str | None,
    until: str | None,
    import_id: str | None,
    topic: str | None,
) -> Where:
    first, end = moment_of(since, "--since"), moment_of(until, "--until")
    return Where(code=code, source=source, topic=topic, import_id=import_id, since=first, until=end)


def _ids(given: list[str]) -> tuple[str, ...]:
    if len(given) > _MOST_IDS:
        raise UsageError(f"{len(given)} ids: name at most {_MOST_IDS} at once, or use filters")
    try:
        return tuple(dict.fromkeys(str(uuid.UUID(each)) for each in given))
    except ValueError as error:
        raise UsageError("the id of a dead letter is a UUID: see `touchline rejected list`") from error


def _with_times(letter: Envelope) -> dict[str, Any]:
    """The fields of a letter's envelope, moments as text."""
    fields = {name: getattr(letter, name) for name in Envelope.__dataclass_fields__}
    replayed_at = None if letter.replayed_at is None else text_of(letter.replayed_at)
    return {**fields, "rejected_at": text_of(letter.rejected_at), "replayed_at": replayed_at}


async def _listed(where: Where, limit: int, data: Path | None) -> tuple[int, list[Pattern], list[Envelope]]:
    async with attach(load(), data, roles=False) as target, await target.clickhouse() as client:
        letters = DeadLetters(client)
        total, patterns = await letters.patterns(where, _PATTERNS)
        return total, patterns, await letters.newest(where, limit)


async def _found(dead_letter_id: str, data: Path | None) -> tuple[Letter, Ids]:
    async with attach(load(), data, roles=False) as target, await target.clickhouse() as client:
        letter = await DeadLetters(client).get(dead_letter_id)
    if letter is None:
        raise UsageError(f"there is no dead letter {dead_letter_id}: see `touchline rejected list`")
    ids = reading_ids(load())
    if letter.topic in SUBJECTS:
        with suppress(UnavailableError):  # then it is shown as bytes
            await ids.meet(letter.topic, [letter.original])
    return letter, ids


async def _replayed(where: Where, data: Path | None, *, force: bool, allow: bool, dry_run: bool) -> ReplayResult:
    now = time.time_ns() // 1_000_000
    async with attach(load(), data, roles=not dry_run) as target, await target.clickhouse() as client:
        letters = DeadLetters(client)
        await _check_ids(letters, where)
        ids = reading_ids(load()) if dry_run else await schema_ids(load())
        total, _ = await letters.patterns(where, 1)
        with progress_bar() as bar, Sorter() as sorter:
            task = bar.add_task("checking", total=total)
            work = Replay(
                sorter,
                now,
                decide=Replaying(ids, force=force, allow=allow, privacy=Privacy.of(load()), sources=sources_of(load())),
                progress=lambda what, done: bar.update(task, description=what, completed=done),
            )
            await work.read(letters.pages(where))
            if not dry_run and work.result().accepted:
                await _sent(work, letters, target, bar)
                await wait_until_landed(
                    target.kafka_url,
                    client,
                    timeout=_LANDING_SECONDS,
                    progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
                )
    return work.result()


async def _sent(work: Replay, letters: DeadLetters, target: Target, bar: Progress) -> None:
    bar.update(bar.task_ids[0], total=work.result().accepted, completed=0)
    publisher = Publisher(target.kafka_url, _PATIENCE_SECONDS)
    try:
        await work.send(publisher, letters)
    finally:
        await publisher.stop()


async def _check_ids(letters: DeadLetters, where: Where) -> None:
    """Raise UsageError for an id that no letter has; tell of those that were replayed before."""
    if not where.ids:
        return
    known = {letter.dead_letter_id: letter for letter in await letters.newest(Where(ids=where.ids), len(where.ids))}
    for wanted in where.ids:
        if wanted not in known:
            raise UsageError(f"there is no dead letter {wanted}: see `touchline rejected list`")
        replayed_at = known[wanted].replayed_at
        if where.replayed is False and replayed_at is not None:
            tell(f"{wanted} was replayed at {text_of(replayed_at)} already: --again sends it once more")


def _tell_replayed(result: ReplayResult, dry_run: bool) -> None:
    sent = f"{result.accepted} would be sent" if dry_run else f"{result.sent} sent again"
    tell(f"{result.selected} dead letters: {sent}, {result.refused} refused again")
    rejected_tables.tell_refused(result)
