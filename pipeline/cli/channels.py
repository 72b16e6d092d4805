"""`touchline channels`: which sources there are, what a payload would become, and whether a mapping is right."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from pipeline.channels.applied import Outcome, apply
from pipeline.channels.check import problems
from pipeline.channels.compiled import Source
from pipeline.channels.envelope import Incoming
from pipeline.channels.fixture import is_fixture, read_fixture, read_fixtures
from pipeline.channels.registry import functions_of, load_sources, sources_of
from pipeline.channels.signatures import split_secrets
from pipeline.channels.touchpoints import accepted
from pipeline.cli import app
from pipeline.cli.common import Json, print_json, tell
from pipeline.errors import UsageError
from pipeline.model import Rejected
from pipeline.settings import load

_ANY = {"any": ["any"]}
"""What a source may give whose events name channel and touchpoint themselves."""

channels = typer.Typer(help="Sources of webhooks: list them, try a payload, check a mapping.", no_args_is_help=True)
app.add_typer(channels, name="channels")


@channels.command("list")
def list_sources(as_json: Json = False) -> None:
    """List the sources, whether each is on, and what they give; with --json also how to connect each.

    Example: touchline channels list
    """
    secrets = load().webhook_secrets
    known = sources_of(load())
    if as_json:
        print_json([_described(source, secrets) for source in known.values()])
        return
    table = Table("source", "on", "channel", "touchpoints")
    for source in known.values():
        for number, (channel, names) in enumerate((_by_channel(source) or _ANY).items()):
            first = number == 0
            state = ("yes" if _is_on(source, secrets) else "no") if first else ""
            table.add_row(source.name if first else "", state, channel, ", ".join(names))
    Console().print(table)


def _described(source: Source, secrets: dict[str, str]) -> dict[str, Any]:
    mapping = source.mapping
    return {
        "source": source.name,
        "title": mapping.title,
        "about": mapping.about,
        "on": _is_on(source, secrets),
        "signature": mapping.signature.scheme,
        "events": sorted(source.events),
        "ignored": sorted(mapping.ignored),
        "touchpoints": _by_channel(source),
        "documentation": mapping.documentation,
        "setup": mapping.setup.strip(),
    }


def _is_on(source: Source, secrets: dict[str, str]) -> bool:
    return source.mapping.signature.scheme == "write_key" or bool(split_secrets(secrets.get(source.name, "")))


def _by_channel(source: Source) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for channel, touchpoint in sorted({each for rule in source.rules for each in rule.touchpoints()}):
        found.setdefault(channel, []).append(touchpoint)
    return found


Headers = Annotated[list[str] | None, typer.Option("--header", help="A header of the request, name:value; repeat.")]


@channels.command("try")
def try_payload(source: str, payload: Path, header: Headers = None, as_json: Json = False) -> None:
    """Show the touchpoints that a payload would give, or why not; nothing is sent.

    PAYLOAD is a body as the vendor sends it, or an example (see `channels check`). Example:
    touchline channels try shopify order.json --header X-Shopify-Topic:orders/create --header X-Shopify-Event-Id:1
    """
    known = sources_of(load())
    if source not in known:
        raise UsageError(f"no source is called {source}: there are {', '.join(known)}")
    outcome = apply(known[source], _incoming(payload, header or []))
    shown = list(_shown(known[source], outcome))
    if as_json:
        print_json({"touchpoints": shown, "ignored": outcome.ignored, "problem": _problem(outcome)})
    else:
        _print(shown, outcome)
    if outcome.problem is not None or any("errors" in each for each in shown):
        raise typer.Exit(1)


def _print(shown: list[dict[str, Any]], outcome: Outcome) -> None:
    console = Console()
    for each in shown:
        console.print_json(data=each)
    for reason, count in outcome.ignored.items():
        tell(f"{count} ignored: {_REASONS[reason]}")
    if (problem := _problem(outcome)) is not None:
        tell(f"refused: {problem['path']}: {problem['message']}")


_REASONS = {
    "unknown": "this kind of event is not in the mapping",
    "unwanted": "the mapping lists this kind of event as ignored",
    "not_for_us": "no rule's `when` holds",
}


def _incoming(payload: Path, headers: list[str]) -> Incoming:
    if wrong := [each for each in headers if ":" not in each]:
        raise UsageError(f"--header {wrong[0]}: write name:value")
    pairs = (each.partition(":") for each in headers)
    given = {name.strip().lower(): value.strip() for name, _, value in pairs}
    try:
        body = payload.read_bytes()
    except OSError as error:
        raise UsageError(f"{payload} cannot be read: {error.strerror}") from error
    if is_fixture(body):
        example = read_fixture(payload).incoming()
        return Incoming(example.body, {**example.headers, **given}, example.query)
    return Incoming(body, {"content-type": "application/json", **given})


def _shown(source: Source, outcome: Outcome) -> Iterator[dict[str, Any]]:
    now = time.time_ns() // 1_000_000
    for mapped in outcome.touchpoints:
        checked = accepted(source, mapped, now)
        if isinstance(checked, Rejected):
            errors = [{"code": each.code, "path": each.path, "message": each.message} for each in checked.errors]
            yield {"rule": mapped.rule.name, "errors": errors}
        else:
            yield {"rule": mapped.rule.name, **mapped.event}


def _problem(outcome: Outcome) -> dict[str, str] | None:
    found = outcome.problem
    return None if found is None else {"code": found.code, "path": found.path, "message": found.message}


@channels.command()
def check(folder: Annotated[Path | None, typer.Argument(help="Your mappings [TOUCHLINE_CHANNELS].")] = None) -> None:
    """Check your own mappings against their examples: FOLDER/<source>.toml against FOLDER/<source>/*.json.

    An example is {"event", "headers", "body" or "form", "gives": [touchpoints], "requires": [paths]}. Without a folder,
    and without TOUCHLINE_CHANNELS, the shipped mappings are read. Exit 1 when something is wrong.
    Example: touchline channels check ./channels
    """
    settings = load()
    own = folder or settings.channels
    known = load_sources(functions_of(settings), own)
    if own is None:
        tell(f"{len(known)} shipped mappings can be read; name a folder to check your own against their examples")
        return
    found = 0
    for name in sorted(file.stem for file in own.glob("*.toml")):
        for problem in problems(known[name], read_fixtures(own / name), time.time_ns() // 1_000_000):
            tell(problem)
            found += 1
    if found:
        raise typer.Exit(1)
    tell("all is well")


@channels.command()
def show(source: str) -> None:
    """Print a mapping as it is written, to begin your own from. Example: touchline channels show shopify."""
    own = load().channels
    folders = [files("pipeline.channels") / "sources", *([own] if own else [])]
    for file in (folder / f"{source}.toml" for folder in reversed(folders)):
        if file.is_file():
            typer.echo(file.read_text("utf-8"), nl=False)
            return
    raise UsageError(f"no source is called {source}: see `touchline channels list`")


@channels.command()
def functions() -> None:
    """List what expressions may call besides the functions of JMESPath. Example: touchline channels functions."""
    known = functions_of(load())
    table = Table("function", "gives")
    for name in sorted(vars(type(known))):
        if name.startswith("_func_"):
            method = getattr(known, name)
            words = (
                f"{each.name}, ..." if each.kind is each.VAR_POSITIONAL else each.name for each in _parameters(method)
            )
            text = " ".join((method.__doc__ or "").split())
            table.add_row(f"{name.removeprefix('_func_')}({', '.join(words)})", text)
    Console().print(table)


def _parameters(function: Any) -> list[inspect.Parameter]:
    return list(inspect.signature(function).parameters.values())
