"""The commands keys create, list and revoke: who may send events."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, tell
from pipeline.cli.times import moment_of
from pipeline.collector import key_file
from pipeline.collector.keys import Key
from pipeline.collector.new_key import Wish, make
from pipeline.errors import UsageError
from pipeline.settings import load

_TABLE_WIDTH = 180
_SPAN = re.compile(r"([1-9]\d{0,4})([dh])")

keys = typer.Typer(
    name="keys",
    help="Write keys: what each may send, from where, and how fast.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(keys)


@keys.command()
def create(  # noqa: PLR0913 (its options)
    *,
    name: Annotated[str, typer.Option(metavar="NAME", help="Whose key it is, to know it by.")],
    channel: Annotated[list[str] | None, typer.Option(metavar="C", help="Only this channel; repeat for more.")] = None,
    source: Annotated[
        list[str] | None, typer.Option(metavar="S", help="Only this way in: http, or a webhook's source; repeat.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(metavar="URL", help="Pages that may use a public key; repeat.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="It will lie open in a page or an app: web, mobile_app and link only.")
    ] = False,
    for_app: Annotated[bool, typer.Option("--app", help="A public key that apps use, which send no Origin.")] = False,
    rate: Annotated[float | None, typer.Option(min=0.001, metavar="N", help="Events a second.")] = None,
    burst: Annotated[int | None, typer.Option(min=1, metavar="N", help="Events at once.")] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help="RFC 3339, or from now on: 90d, 12h. Else never.")
    ] = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, this once. Collectors that run take it within a second.

    Example: touchline keys create --name shop --public --origin https://shop.example --rate 500.
    """
    now = datetime.now(UTC)
    wish = Wish(
        name=name,
        channels=tuple(channel or ()),
        sources=tuple(source or ()),
        origins=tuple(origin or ()),
        public=public,
        app=for_app,
        rate=rate,
        burst=burst,
        expires_at=_expiry(expires, now),
    )
    path = _path(data)
    with key_file.changing(path) as known:
        secret, key = make(wish, now, (each.id for each in known))
        key_file.write(path, (*known, key))
    if as_json:
        print_json({"key": secret, **_facts(key), "file": str(path)})
    else:
        typer.echo(secret)
        tell(f"{key.id} {key.name!r}: {_scopes(key)}; the key is not kept, so note it now")


@keys.command("list")
def list_keys(data: Data = None, as_json: Json = False) -> None:
    """List the keys, without the keys themselves. Example: touchline keys list --json."""
    found = key_file.read_if_any(_path(data))
    if as_json:
        print_json([_facts(key) for key in found])
    else:
        _show(found)


@keys.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `keys list` shows it.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a key worthless, within a second and for good. Example: touchline keys revoke key_1f0c22ab."""
    path = _path(data)
    with key_file.changing(path) as known:
        found = next((key for key in known if key.id == key_id), None)
        if found is None:
            raise UsageError(f"there is no key {key_id} in {path}: see `touchline keys list`")
        revoked = msgspec.structs.replace(found, revoked_at=found.revoked_at or datetime.now(UTC))
        key_file.write(path, tuple(revoked if key.id == key_id else key for key in known))
    if as_json:
        print_json(_facts(revoked))
    else:
        tell(f"{key_id} {revoked.name!r} is revoked" + (" already" if found.revoked_at else ""))


def _path(data: Path | None) -> Path:
    return key_file.path_of(load(), data)


def _expiry(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    if span := _SPAN.fullmatch(text):
        number, unit = int(span[1]), span[2]
        return now + (timedelta(days=number) if unit == "d" else timedelta(hours=number))
    moment = moment_of(text, "--expires")
    return None if moment is None else datetime.fromtimestamp(moment / 1000, UTC)


def _facts(key: Key) -> dict[str, Any]:
    """Everything but the hash."""
    kept: dict[str, Any] = msgspec.to_builtins(key)
    del kept["sha256"]
    kind = "public" if kept.pop("public") else "secret"
    return {**kept, "kind": kind, "status": key.status(datetime.now(UTC))}


def _scopes(key: Key) -> str:
    """What it is good for, in a few words."""
    parts = [
        ", ".join(key.channels) or "all channels",
        "by " + ", ".join(key.sources) if key.sources else "",
        "from " + ", ".join((*key.origins, *(["apps"] if key.app else []))) if key.public else "",
    ]
    return " ".join(part for part in parts if part)


def _show(found: tuple[Key, ...]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _TABLE_WIDTH
    table = Table("id", "name", "kind", "status", "good for", "rate", "created", "expires", "ends in", box=None)
    for key in found:
        facts = _facts(key)
        cells = (key.id, key.name, facts["kind"], facts["status"], _scopes(key), _rate(key))
        moments = (_day(key.created_at), _day(key.expires_at))
        table.add_row(*(escape(cell) for cell in (*cells, *moments, key.last4)))
    console.print(table)


def _rate(key: Key) -> str:
    rate = "default" if key.rate is None else f"{key.rate:g}/s"
    return rate if key.burst is None else f"{rate}, {key.burst} at once"


def _day(moment: datetime | None) -> str:
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M}"
