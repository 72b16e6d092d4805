"""Clickstream histories as a company would have them, and what a plain gap computation makes of them."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

VISIT_GAP = timedelta(minutes=30)
JOURNEY_GAP = timedelta(days=14)


@dataclass(frozen=True)
class Click:
    """One row of the file."""

    customer_id: str
    occurred_at: datetime
    touchpoint: str


@dataclass(frozen=True, order=True)
class Span:
    """A visit or a journey: whose, from when to when, how many touchpoints."""

    customer_id: str
    started_at: datetime
    ended_at: datetime
    touchpoints: int


def clicks(customers: int, rows: int, seed: int, days: int = 182) -> list[Click]:
    """Rows of customers who come in bursts and stay away for hours, days or weeks; exact gaps among them."""
    rng = random.Random(seed)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days + 1)
    found: list[Click] = []
    while len(found) < rows:
        customer = f"user-{len(found) % customers:04d}"
        moment = start + timedelta(milliseconds=rng.randrange(days * 86_400_000))
        for _ in range(rng.randint(1, 12)):
            found.append(Click(customer, moment, rng.choice(["page_view", "product_view", "search", "cart_add"])))
            moment += rng.choice(
                [timedelta(seconds=rng.randint(1, 900)), VISIT_GAP, VISIT_GAP + timedelta(milliseconds=1)]
            )
    rng.shuffle(found)
    return found[:rows]


def write_csv(path: Path, rows: list[Click]) -> None:
    """The rows as a file for `touchline backfill`, in the order given."""
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["customer_id", "occurred_at", "channel", "touchpoint"])
        for row in rows:
            writer.writerow(
                [row.customer_id, row.occurred_at.isoformat(timespec="milliseconds"), "web", row.touchpoint]
            )


def spans(rows: list[Click], gap: timedelta) -> list[Span]:
    """Split each customer's rows, in order of time, wherever the silence is longer than the gap."""
    times = defaultdict(list)
    for row in rows:
        times[row.customer_id].append(row.occurred_at)
    found = []
    for customer, moments in times.items():
        moments.sort()
        start = 0
        for index in range(1, len(moments) + 1):
            if index == len(moments) or moments[index] - moments[index - 1] > gap:
                found.append(Span(customer, moments[start], moments[index - 1], index - start))
                start = index
    return sorted(found)
