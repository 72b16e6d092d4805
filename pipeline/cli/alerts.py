"""The commands alerts list, ack, snooze and test."""

from __future__ import annotations

import contextlib
import getpass
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.alert_plan import plan_of
from pipeline.alerts.messages import Message
from pipeline.alerts.orders import acknowledged, snoozed
from pipeline.alerts.records import sample
from pipeline.attach import attach
from pipeline.cli import app
from pipeline.cli.common import Data, Json, print_json, run, tell
from pipeline.cli.times import text_of
from pipeline.errors import ConfigurationError, UnavailableError, UsageError
from pipeline.model import ContractError, Record
from pipeline.publisher import Publisher
from pipeline.registry import schema_ids
from pipeline.settings import load
from schemas.codec import Encoder
from sinks import sql
from sinks.clickhouse import Client

_TABLE_WIDTH = 160
_PATIENCE_SECONDS = 30.0
_COLUMNS = (
    *("alert_id", "customer_id", "raised_at", "level", "score", "reasons", "action", "status", "acknowledged_at"),
    *("acknowledged_by", "over_at", "delivered_to", "given_up"),
)

alerts = typer.Typer(
    name="alerts", help="Who was told of whom; taking alerts on.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(alerts)

By = Annotated[str | None, typer.Option("--by", metavar="NAME", help="Who does it; else the user of this machine.")]


@dataclass(frozen=True)
class _Which:
    customer: str
    status: str
    limit: int


@alerts.command("list")
def list_alerts(
    customer: Annotated[str, typer.Option(metavar="ID", help="Only those of this customer.")] = "",
    status: Annotated[str, typer.Option(help="Only open, acknowledged, followed or over ones.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, metavar="N", help="The N newest.")] = 20,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """List alerts and what has become of them. Example: touchline alerts list --status open."""
    if status not in ("", "open", "acknowledged", "followed", "over"):
        raise UsageError(f"--status {status}: write open, acknowledged, followed or over")
    found = run(_listed(_Which(customer, status, limit), data))
    if as_json:
        print_json(found)
    else:
        _show(found)


@alerts.command()
def ack(
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="The alert.")], by: By = None, data: Data = None
) -> None:
    """Take an alert on: nobody is told of it any more who was not yet. Example: touchline alerts ack 0b9f..."""
    tell(run(_acknowledged(alert_id, by or _me(), data)))


@alerts.command()
def snooze(
    customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER", help="The customer_id.")],
    length: Annotated[str, typer.Option("--for", metavar="LENGTH", help="30m, 12h or 7d; 0d ends it.")],
    by: By = None,
    data: Data = None,
) -> None:
    """Raise no alert for a customer for a while. Example: touchline alerts snooze ann --for 7d."""
    tell(run(_snoozed(customer_id, length, by or _me(), data)))


@alerts.command()
def test(destination: Annotated[str, typer.Argument(metavar="DESTINATION", help="Its name in the file.")]) -> None:
    """Send a made-up alert to a destination, once. Example: touchline alerts test crm."""
    run(_tested(destination))
    tell(f"{destination} took it")


async def _listed(which: _Which, data: Path | None) -> list[dict[str, Any]]:
    parameters = {"customer": which.customer, "status": which.status, "limit": which.limit}
    async with attach(load(), data, roles=False) as target, await target.clickhouse() as client:
        rows = await client.query(sql.query("alert_states"), parameters)
    return [dict(zip(_COLUMNS, map(_plain, row), strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else value


async def _acknowledged(alert_id: str, by: str, data: Path | None) -> str:
    async with attach(load(), data, roles=False) as target:
        async with await target.clickhouse() as client:
            customer = await _customer_of(client, alert_id)
        await _order(_checked(lambda now: acknowledged(alert_id, {"customer_id": customer, "by": by}, now)), target)
    return f"alert {alert_id} of {customer} is acknowledged"


async def _customer_of(client: Client, alert_id: str) -> str:
    try:
        wanted = str(uuid.UUID(alert_id))
    except ValueError as error:
        raise UsageError("the id of an alert is a UUID: see `touchline alerts list`") from error
    rows = await client.query(sql.query("alert_customer"), {"alert": wanted})
    if not rows:
        raise UsageError(f"there is no alert {wanted}: see `touchline alerts list`")
    return str(rows[0][0])


async def _snoozed(customer_id: str, length: str, by: str, data: Path | None) -> str:
    record = _checked(lambda now: snoozed(customer_id, {"for": length, "by": by}, now))
    async with attach(load(), data, roles=False) as target:
        await _order(record, target)
    return f"no alert is raised for {customer_id} before {text_of(record['until'])}"


def _checked(made: Any) -> Record:
    try:
        record: Record = made(time.time_ns() // 1_000_000)
    except ContractError as error:
        raise UsageError(f"{error.path}: {error}") from error
    return record


async def _order(record: Record, target: Any) -> None:
    encode = Encoder("alerts", await schema_ids(load()))
    publisher = Publisher(target.kafka_url, _PATIENCE_SECONDS)
    try:
        await publisher.publish("alerts", [(record["customer_id"].encode(), encode(record))])
    finally:
        await publisher.stop()


async def _tested(name: str) -> None:
    from agents.senders import sender_of  # noqa: PLC0415 (no other command needs an HTTP client)

    destinations = plan_of(load()).destinations
    if name not in destinations:
        known = ", ".join(sorted(destinations)) or "none"
        raise ConfigurationError(f"TOUCHLINE_ALERTS: there is no destination {name}; known: {known}")
    sender = sender_of(destinations[name])
    try:
        outcome = await sender.send(Message.of([sample(str(uuid.uuid4()), time.time_ns() // 1_000_000)]))
    finally:
        await sender.close()
    if outcome.error is not None:
        raise UnavailableError(f"{name}: {outcome.error}")


def _me() -> str:
    """The user who runs the command, where the system knows."""
    with contextlib.suppress(KeyError, OSError):
        return getpass.getuser()
    return ""


def _show(found: list[dict[str, Any]]) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = _TABLE_WIDTH
    table = Table("alert", "customer", "raised", "level", "score", "why", "status", "delivered to", box=None)
    for one in found:
        why = one["reasons"][0]["text"] if one["reasons"] else ""
        moment = f"{one['raised_at']:%Y-%m-%d %H:%M}"
        cells = (one["alert_id"], one["customer_id"], moment, one["level"], f"{one['score']:g}", why, one["status"])
        table.add_row(*(escape(cell) for cell in (*cells, ", ".join(one["delivered_to"]))))
    console.print(table)
