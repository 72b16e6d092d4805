"""The numbers of a run, each measured where it arises, and the equalities that prove that nothing was lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.conservation import remembered
from pipeline.log_reader import Span
from pipeline.simulator import Company
from sinks import ledger, sql
from sinks.clickhouse import Client
from sinks.ledger import Landed


@dataclass(frozen=True)
class Counted:
    """What senders were told: by the collector's answers and by the backfill."""

    sent: int
    accepted: int
    rejected: int
    webhooks: int = 0
    """How many of what was sent came as webhooks of vendors."""


@dataclass(frozen=True)
class Found:
    """What ClickHouse shows.

    `ledger_rows` landed in topic touchpoints by the ledger, `landed` are rows of the view; of these, `late` came too
    late to count, and `folded` are what the profiles of all customers were made from.
    """

    ledger_rows: int
    landed: int
    late: int
    folded: int
    dead_letters: int
    customers: int
    anonymous: int
    visits: int
    journeys: int
    alerts: int

    @property
    def duplicates(self) -> int:
        """What landed without becoming a row of the view."""
        return self.ledger_rows - self.landed


async def find(client: Client) -> Found:
    """Ask ClickHouse."""
    [row] = await client.query(sql.query("demo_numbers"))
    return Found(_rows(await ledger.ranges(client, "touchpoints")), *row)


def _rows(entries: Sequence[Landed]) -> int:
    """Rows that the ledger vouches for, where ranges overlap once."""
    partitions: dict[tuple[int, int], list[Landed]] = defaultdict(list)
    for entry in entries:
        partitions[entry.epoch, entry.partition].append(entry)
    return sum(
        remembered(Span(min(each.first_offset for each in mine), max(each.next_offset for each in mine)), mine).landed
        for mine in partitions.values()
    )


def problems(counted: Counted, found: Found, company: Company, audit_ok: bool) -> list[str]:
    """What does not add up, in words; nothing when all was kept, and once."""
    kept = found.landed + found.duplicates
    equalities = (
        ("events sent", counted.sent, "accepted + rejected", counted.accepted + counted.rejected),
        ("accepted", counted.accepted, "landed + duplicates", kept),
        ("rejected", counted.rejected, "dead letters", found.dead_letters),
        ("landed", found.landed, "in profiles or late", found.folded + found.late),
        ("touchpoints simulated", company.touchpoints, "landed", found.landed),
        ("duplicates simulated", company.duplicates, "duplicates found", found.duplicates),
        ("customers simulated", company.customers, "customers", found.customers),
    )
    wrong = [f"{left} {a} but {right} {b}" for left, a, right, b in equalities if a != b]
    return wrong if audit_ok else [*wrong, "the audit found a difference: touchline audit --data shows it"]
