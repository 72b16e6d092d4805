"""Compares what every profile counts with the touchpoints that have landed, while traffic goes on.

A cut is where the customers agent stood, by partition, at one moment. Once all that it had published by then has
landed, the touchpoints up to the cut, and the profiles that have not moved past it, are a consistent whole: landing may
lag as it likes. A profile that has moved is compared at the next cut, as it stood at its own revision. What differs
must do so at two cuts to count.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import TopicPartition

from pipeline.landed import committed_positions, marks_of, wait_for
from pipeline.log_reader import LogReader, Span
from pipeline.profile_counts import Count, Tally, judge
from pipeline.seen import HOUR, LIMIT
from pipeline.topics import CHANGELOG, CUSTOMERS_GROUP
from sinks import sql
from sinks.clickhouse import Client

PAGE_TOUCHPOINTS = 200_000
"""A page holds whole customers, of about so many touchpoints together: the busiest customer bounds the memory."""
ROUNDS = 6
_MOST_IDS = 200
"""How many customers a query names: they travel in its URL."""
_PUBLISHED = ("touchpoints", "customers", "late", "rejected")


@dataclass(frozen=True)
class Page:
    """Customers after `after`, up to `last`; None: all the others."""

    after: str
    last: str | None


class ProfileAudit:
    """The profiles of one installation. `known` are the epochs by topic; a cut is waited for up to `wait_seconds`."""

    def __init__(  # noqa: PLR0913 (what it looks at, each once)
        self,
        kafka_url: str,
        log: LogReader,
        clickhouse: Client,
        known: Mapping[str, int],
        *,
        wait_seconds: float,
        page_touchpoints: int = PAGE_TOUCHPOINTS,
    ) -> None:
        self._kafka_url = kafka_url
        self._log = log
        self._clickhouse = clickhouse
        self._known = known
        self._wait_seconds = wait_seconds
        self._page_touchpoints = page_touchpoints

    async def compare(self) -> Tally:
        """Compare all. Raises UnavailableError where what was published does not land in time."""
        tally = Tally()
        page = Page("", "")
        while page.last is not None:
            parameters = {"after": page.last, "rows": self._page_touchpoints}
            ends = await self._clickhouse.query(sql.query("page_end"), parameters)
            page = Page(page.last, ends[0][0] if ends else None)
            await self._compare_page(page, tally)
        return tally

    async def _compare_page(self, page: Page, tally: Tally) -> None:
        """Look again at what differs or moves, until each customer is settled."""
        pending = await self._differing(page, ())
        differed = {customer for customer, count in pending.items() if not count.moving}
        confirmed: list[Count] = []
        for _ in range(ROUNDS - 1):
            if not pending:
                break
            moving = [count for count in pending.values() if count.moving][:_MOST_IDS]
            again = await self._differing(page, moving)
            pending = {customer: count for customer, count in again.items() if customer in pending}
            settled = {count.customer_id for count in pending.values() if not count.moving} & differed
            confirmed += [pending.pop(customer) for customer in sorted(settled)]
            differed |= {customer for customer, count in pending.items() if not count.moving}
        tally.unsettled += len(pending)
        await self._judge(confirmed, tally)

    async def _differing(self, page: Page, given: Iterable[Count]) -> dict[str, Count]:
        """The customers of a page that differ at a new cut or have moved past it; those given, at their revision."""
        parameters = {**await self._cut(), **_given(list(given)), "after": page.after, "last": page.last}
        rows = await self._clickhouse.query(sql.query("profile_counts"), parameters)
        return {row[0]: Count(*row) for row in rows}

    async def _cut(self) -> dict[str, Any]:
        """Where the customers agent stands; returns when all that it has published up to there has landed."""
        epoch = self._known["touchpoints"]
        spans = await self._log.spans(["touchpoints"])
        applied = await committed_positions(self._kafka_url, CUSTOMERS_GROUP, spans, epoch).read()
        published = await self._log.spans(_PUBLISHED)  # only now: it holds what the commits speak of
        positions = marks_of(self._clickhouse, self._known, _PUBLISHED)
        await wait_for(self._log, published, positions, time.monotonic() + self._wait_seconds)
        return {
            "epoch": epoch,
            "states_lost": self._known.get(CHANGELOG, epoch) > epoch,
            **_by_partition(spans, applied),
        }

    async def _judge(self, counts: Sequence[Count], tally: Tally) -> None:
        over = [count.customer_id for count in counts if count.counted > count.most]
        crowded: set[str] = set()
        for first in range(0, len(over), _MOST_IDS):
            named = {"customers": over[first : first + _MOST_IDS], "hour_ms": HOUR, "limit": LIMIT}
            crowded.update(row[0] for row in await self._clickhouse.query(sql.query("crowded_customers"), named))
        for count in counts:
            tally.add(judge(count, count.customer_id in crowded), count)


def _by_partition(spans: Mapping[TopicPartition, Span], applied: Mapping[TopicPartition, int]) -> dict[str, Any]:
    return {
        "partitions": [tp.partition for tp in spans],
        "cuts": [applied.get(tp, 0) for tp in spans],
        "firsts": [span.first for span in spans.values()],
    }


def _given(counts: Sequence[Count]) -> dict[str, Any]:
    return {
        "given": [count.customer_id for count in counts],
        "revisions": [count.revision for count in counts],
        "counts": [count.counted for count in counts],
        "rebuilds": [count.rebuilt for count in counts],
    }
