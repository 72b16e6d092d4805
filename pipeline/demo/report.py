"""What the demo shows: the journey map, the channels, who is at risk and why, the numbers, and what to try next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipeline.demo.run import Outcome
from pipeline.scoring import Scored
from pipeline.simulator import Company
from sinks.clickhouse import Row

STAGES = ("awareness", "consideration", "purchase", "delivery", "service", "loyalty")
TOP = 10
REASONS = 3
PLAIN_WIDTH = 120
_MOOD = 0.1


def show(outcome: Outcome) -> None:
    """Print it all on standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    views = outcome.views
    tables = journey_map(views.journey_map), channels(views.channels), at_risk(views.at_risk, outcome.company)
    for table in (*tables, numbers(outcome)):
        console.print(table)
        console.print()
    for line in next_steps(outcome):
        console.print(line, soft_wrap=True)


def _table(title: str, caption: str, *columns: str) -> Table:
    """A table of numbers, narrow enough for 80 columns; the first column names the row."""
    table = Table(title=title, caption=caption, box=None, pad_edge=False, collapse_padding=True)
    table.title_justify = table.caption_justify = "left"
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def journey_map(rows: Sequence[Row]) -> Table:
    """Channels by stages: how often, by how many, and in what mood."""
    cells: dict[str, dict[str, str]] = defaultdict(dict)
    weights: dict[str, int] = defaultdict(int)
    for stage, channel, touchpoints, share, mood in rows:
        cells[channel][stage] = _moody(f"{_short(touchpoints)} {share:>4.0%}", mood)
        weights[channel] += touchpoints
    caption = "Touchpoints, and the share of all customers and visitors seen there; green: good mood, red: bad mood."
    table = _table("Journey map: stage by channel", caption, "channel", *STAGES)
    for channel in sorted(cells, key=lambda channel: (-weights[channel], channel)):
        table.add_row(channel, *(cells[channel].get(stage, "") for stage in STAGES))
    return table


def channels(rows: Sequence[Row]) -> Table:
    """How each channel does."""
    columns = ("touches", "customers", "journeys", "opened", "closed", "conv.", "mood", "failed", "cost")
    caption = (
        "Journeys that used it, began in it, have ended in it so far; the share of them that converted; "
        "touches left unresolved, escalated, abandoned or failed; cost of all touches."
    )
    table = _table("Channels: which work best, which cost most", caption, "channel", *columns)
    for channel, touches, customers, journeys, opened, closed, rate, mood, unresolved, cost in rows:
        counts = (_short(count) for count in (touches, customers, journeys, opened, closed))
        share = "" if rate is None else f"{rate:.0%}"
        feeling = "" if mood is None else _moody(f"{mood:+.2f}", mood)
        table.add_row(channel, *counts, share, feeling, _short(unresolved), _short(round(cost)))
    return table


def at_risk(scores: Sequence[Scored], company: Company) -> Table:
    """The most urgent, and what the simulator knows of them."""
    caption = f"The first {min(TOP, len(scores))} of {len(scores):,}; truth is what the simulator made of them."
    table = Table(title="Who is about to leave, why, and what to do", caption=caption, box=None, pad_edge=False)
    table.title_justify = table.caption_justify = "left"
    for name in ("customer", "score", "level", "why (points it adds)", "action", "truth"):
        table.add_column(name, justify="right" if name == "score" else "left", overflow="fold")
    for customer_id, risk in scores[:TOP]:
        why = "\n".join(f"{reason.text} ({reason.points:+g})" for reason in risk.reasons[:REASONS])
        truth = "[red]leaves[/red]" if customer_id in company.leavers else "stays"
        table.add_row(escape(customer_id), f"{risk.score:.1f}", risk.level, escape(why), risk.action, truth)
    return table


def numbers(outcome: Outcome) -> Table:
    """The run in numbers."""
    table = Table(title="The numbers", box=None, show_header=False, title_justify="left", pad_edge=False)
    table.add_column(justify="left")
    table.add_column(justify="left")
    for name, text in _numbers(outcome):
        table.add_row(name, text)
    return table


def _numbers(outcome: Outcome) -> Iterator[tuple[str, str]]:
    counted, found, judged, company = outcome.counted, outcome.found, outcome.judgement, outcome.company
    yield "sent", f"{counted.sent:,} = {counted.accepted:,} accepted + {counted.rejected:,} refused"
    yield "", f"{counted.webhooks:,} of them as signed webhooks of Shopify, AfterShip and Typeform"
    yield "accepted", f"{counted.accepted:,} = {found.landed:,} landed + {found.duplicates:,} duplicates"
    yield "refused", f"{found.dead_letters:,} dead letters, each with its reason"
    yield "customers", f"{found.customers:,}, and {found.anonymous:,} visitors nobody knows yet"
    yield "journeys", f"{found.journeys:,} of {found.visits:,} visits"
    yield "at risk", f"{len(outcome.views.at_risk):,} customers of level high or critical; {found.alerts:,} alerts"
    yield "leavers found", f"{judged.found:,} of {judged.found + judged.missed:,} (recall {_percent(judged.recall)})"
    yield "false alarms", f"{judged.alarms:,} (precision {_percent(judged.precision)})"
    yield "left before", f"{len(company.gone):,} who left long ago count neither way"
    phases = ", ".join(f"{name} {took:.1f}" for name, took in outcome.phases.items())
    yield "seconds", f"{outcome.seconds:.1f}: {phases}"


def next_steps(outcome: Outcome) -> Iterator[str]:
    """What to try on the data of this run, which stay."""
    where = f"--data {escape(str(outcome.data))}"
    yield "All of it stays; try next:"
    yield f"  touchline sql {where} 'SELECT * FROM customers_at_risk LIMIT 10'"  # noqa: S608 (a hint, not a query)
    yield f"  touchline risk --as-of {_a_month_before(outcome.company)} --limit 10 {where}"
    yield f"  touchline report {where}"
    yield f"  touchline up {where}"


def _a_month_before(company: Company) -> str:
    return (company.now - timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"


def _moody(text: str, mood: float | None) -> str:
    if mood is None or abs(mood) < _MOOD:
        return text
    return f"[green]{text}[/green]" if mood > 0 else f"[red]{text}[/red]"


def _short(count: int) -> str:
    return str(count) if count < 1_000 else f"{count / 1000:.1f}k"
