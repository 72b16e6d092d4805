"""Commands on short links: links list, check and url."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.cli import app
from pipeline.cli.common import Json, print_json, tell
from pipeline.collector.links.book import text_of
from pipeline.errors import ConfigurationError, UsageError
from pipeline.link_targets import checked_public
from pipeline.link_tokens import PARAMETER, Signer, customer_problem
from pipeline.links import FIELDS, Link, Links, read
from pipeline.settings import Settings, load

_TABLE_WIDTH = 160

links = typer.Typer(name="links", help="Short links and QR codes.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(links)

File = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="The links [TOUCHLINE_LINKS].")]


@links.command("list")
def list_links(file: File = None, as_json: Json = False) -> None:
    """List the links and where they lead. Example: touchline links list --file links.toml."""
    settings = load()
    found = [_facts(link, settings) for link in _good(settings, file).values()]
    if as_json:
        print_json(found)
        return
    console = Console()
    if not console.is_terminal:
        console.width = _TABLE_WIDTH
    table = Table("code", "kind", "leads to", "campaign", "expires", "url", box=None)
    for facts in found:
        shown = (facts[name] or "" for name in ("code", "kind", "target", "campaign", "expires", "url"))
        table.add_row(*(escape(str(cell)) for cell in shown))
    console.print(table)


@links.command()
def check(file: File = None, as_json: Json = False) -> None:
    """Say all that is wrong with the links, before they are used. Example: touchline links check --file new.toml."""
    path = _path(load(), file)
    found, problems = read(text_of(path))
    if as_json:
        print_json({"links": len(found), "problems": [vars(problem) for problem in problems]})
    else:
        for problem in problems:
            tell(problem.message)
        tell(f"{path}: {len(found)} links, {len(problems)} problems")
    if problems:
        raise typer.Exit(1)


@links.command()
def url(
    code: Annotated[str, typer.Argument(metavar="CODE", help="The link's code.")],
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Whom it is sent to: their customer_id.")] = None,
    file: File = None,
) -> None:
    """Print a link's address, for one customer or for all. Example: touchline links url spring --customer ada."""
    settings = load()
    link = _one(_good(settings, file), code)
    if link.expired(time.time_ns() // 1_000_000):
        raise UsageError(f"links.{code}.expires: {code} ended at {_expires(link)}")
    address = _address(settings, code)
    if customer is not None:
        if problem := customer_problem(customer):
            raise UsageError(f"--customer: {problem}")
        address += f"?{PARAMETER}={Signer(settings.link_key).token(code, customer)}"
    typer.echo(address)


def _path(settings: Settings, file: Path | None) -> Path:
    path = file or settings.links
    if path is None:
        raise ConfigurationError("TOUCHLINE_LINKS: set the file of the links, or name it with --file")
    return path


def _good(settings: Settings, file: Path | None) -> Links:
    """All links, of a file that has no problem."""
    path = _path(settings, file)
    found, problems = read(text_of(path))
    if problems:
        raise ConfigurationError(f"{path}: {problems[0].message}; `touchline links check` says all")
    return found


def _one(found: Links, code: str) -> Link:
    if code not in found:
        near = get_close_matches(code, found, n=3) or list(found)[:3]
        raise UsageError(f"there is no link {code!r}: try {', '.join(near)}")
    return found[code]


def _address(settings: Settings, code: str) -> str:
    """The public address of a link."""
    host = f"[{settings.collector_host}]" if ":" in settings.collector_host else settings.collector_host
    base = checked_public(settings.link_url) or f"http://{host}:{settings.collector_port}"
    return f"{base.rstrip('/')}/l/{code}"


def _expires(link: Link) -> str | None:
    if link.expires is None:
        return None
    return datetime.fromtimestamp(link.expires / 1000, UTC).isoformat().replace("+00:00", "Z")


def _facts(link: Link, settings: Settings) -> dict[str, object]:
    return {
        "code": link.code,
        "kind": link.kind,
        "target": link.target,
        **{name: link.event.get(name) for name in FIELDS},
        "attributes": link.event["attributes"],
        "expires": _expires(link),
        "pass_query": link.pass_query,
        "url": _address(settings, link.code),
    }
