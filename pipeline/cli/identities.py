"""Commands on links between anonymous ids and customers: identities list, unlink and link."""

from __future__ import annotations

import contextlib
import getpass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline import identities as known
from pipeline.attach import attach
from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, run, tell
from pipeline.identities import Correction, Device, Link
from pipeline.settings import load

_TABLE_WIDTH = 160

identities = typer.Typer(
    name="identities",
    help="Which anonymous ids are which customers, and taking wrong links back.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(identities)

Anonymous = Annotated[str, typer.Argument(metavar="ANONYMOUS", help="The anonymous id, without anon: before it.")]
Customer = Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer_id.")]
Comment = Annotated[str, typer.Option(metavar="TEXT", help="Why, for whoever looks at it later.")]


@identities.command("list")
def list_links(
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only links to this customer.")] = None,
    anonymous: Annotated[str | None, typer.Option(metavar="ID", help="Only links of this anonymous id.")] = None,
    ambiguous: Annotated[bool, typer.Option("--ambiguous", help="Only links of ids that several share.")] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """List the links and whether they are trusted. Example: touchline identities list --ambiguous."""
    found = run(_links(customer, anonymous, ambiguous, data))
    if as_json:
        print_json([link.to_json() for link in found])
    else:
        _show(found)


@identities.command()
def unlink(anonymous_id: Anonymous, customer_id: Customer, comment: Comment = "", data: Data = None) -> None:
    """Take a link back; all it did is undone. Example: touchline identities unlink device-1 bob --comment "a guest"."""
    tell(str(run(_correct(Correction(anonymous_id, customer_id, False, _me(), comment), data))))


@identities.command()
def link(anonymous_id: Anonymous, customer_id: Customer, comment: Comment = "", data: Data = None) -> None:
    """Assert a link that nothing has shown. Example: touchline identities link device-1 ann --comment "by phone"."""
    tell(str(run(_correct(Correction(anonymous_id, customer_id, True, _me(), comment), data))))


async def _links(customer: str | None, anonymous: str | None, ambiguous: bool, data: Path | None) -> list[Link]:
    async with attach(load(), data, roles=False) as target, await target.clickhouse() as client:
        return await known.links(client, customer_id=customer, anonymous_id=anonymous, ambiguous=ambiguous)


async def _correct(correction: Correction, data: Path | None) -> Device:
    known.refuse_impossible(correction)
    async with attach(load(), data, roles=False) as target, await target.clickhouse() as client:
        return await known.correct(client, correction)


def _me() -> str:
    """The user who runs the command, where the system knows."""
    with contextlib.suppress(KeyError, OSError):
        return getpass.getuser()
    return ""


def _show(found: list[Link]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _TABLE_WIDTH
    table = Table("anonymous id", "customer", "status", "seen", "last seen", "shared with", "set by hand", box=None)
    for one in found:
        cells = (one.anonymous_id, one.customer_id, one.status, str(one.touchpoints), _last_seen(one))
        table.add_row(*(escape(cell) for cell in (*cells, ", ".join(one.shared_with), _by_hand(one))))
    console.print(table)


def _last_seen(one: Link) -> str:
    return known.as_text(one.last_seen_at) if one.last_seen_at else ""


def _by_hand(one: Link) -> str:
    """Who set it when and why."""
    if one.corrected_at is None:
        return ""
    words = ("asserted" if one.asserted else "taken back", known.as_text(one.corrected_at), one.corrected_by)
    return " ".join(word for word in words if word) + (f": {one.comment}" if one.comment else "")
