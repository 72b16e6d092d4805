"""Every customer's risk at a moment, from what ClickHouse holds, page by page.

There are two ways, and they agree where nothing is late:

- `stored` scores the profiles that the customers agent keeps, at a moment of today. What those leave out (touchpoints
  older than the history when they arrived, until `touchline rebuild` takes them in) is left out here too.
- `at` builds profiles anew from the touchpoints that had happened by the moment, each customer's in order of time. So
  none is late, whatever the order they arrived in, and nothing of what happened afterwards has a say; customers not
  seen by then are absent. When a touchpoint arrived does not matter: an import brings the past after the fact.
"""

from __future__ import annotations

import heapq
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime
from io import BytesIO
from itertools import groupby
from typing import Any, NamedTuple, cast
from uuid import UUID

import msgspec

from pipeline import profile as profiles
from pipeline.customer import Rules
from pipeline.model import Record
from pipeline.reasons import Reason, Risk, assess
from pipeline.risk_model import Compiled
from pipeline.state import Profile, Step, load_profile
from sinks import sql
from sinks.clickhouse import Client

PAGE_CUSTOMERS = 5_000
PAGE_TOUCHPOINTS = 50_000
_decode_row = msgspec.json.Decoder(dict[str, Any]).decode


class Scored(NamedTuple):
    """One customer's risk."""

    customer_id: str
    risk: Risk

    def to_json(self, as_of: str) -> dict[str, Any]:
        """The object that `touchline risk` prints; `as_of` is the moment as text."""
        risk = self.risk
        return {
            "customer_id": self.customer_id,
            "as_of": as_of,
            "score": risk.score,
            "level": risk.level,
            "reasons": [_reason_to_json(reason) for reason in risk.reasons],
            "action": risk.action,
            "model_version": risk.model_version,
        }


def _uuid(event_id: bytes) -> str | None:
    return str(UUID(bytes=event_id)) if event_id else None


def _time(moment: int) -> str:
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _reason_to_json(reason: Reason) -> dict[str, Any]:
    evidence = [
        {"event_id": _uuid(each.event_id), "touchpoint": each.touchpoint, "occurred_at": _time(each.occurred_at)}
        for each in reason.evidence
    ]
    return {**reason._asdict(), "evidence": evidence}


Pages = AsyncIterator[list[Scored]]


async def highest(pages: AsyncIterable[list[Scored]], limit: int | None = None) -> list[Scored]:
    """All customers, or the first `limit`, by falling score, ties by customer_id; at most a page more is held."""
    kept: list[Scored] = []
    async for page in pages:
        kept += page
        if limit is not None:
            kept = heapq.nsmallest(limit, kept, _rank)
    return sorted(kept, key=_rank)


def _rank(scored: Scored) -> tuple[float, str]:
    return -scored.risk.score, scored.customer_id


async def stored(client: Client, moment: int, model: Compiled, rows: int = PAGE_CUSTOMERS) -> Pages:
    """Score the stored profiles at a moment (UTC milliseconds), which should not lie before them."""
    after = ""
    while True:
        found = await client.query(sql.query("stored_profiles"), {"after": after, "rows": rows})
        if found:
            yield [Scored(customer, assess(load_profile(profile), moment, model)) for customer, profile in found]
        if len(found) < rows:
            return
        after = found[-1][0]


async def profile_now(client: Client, customer: str) -> Profile | None:
    """The stored profile of a customer; None: there is none."""
    found = await client.query(sql.query("stored_profile"), {"customer": customer})
    return load_profile(found[0][0]) if found else None


async def profile_then(client: Client, customer: str, moment: int, rules: Rules) -> Profile | None:
    """The profile of a customer by what had happened up to the moment (UTC milliseconds); None: nothing had."""
    parameters = {"customer": customer, "after": "", "last": customer, "until": moment}
    body = await client.raw(sql.query("touchpoints_until"), parameters, fmt="JSONEachRow")
    return next((profile_of(touches, rules) for name, touches in _histories(body) if name == customer), None)


async def at(client: Client, moment: int, rules: Rules, rows: int = PAGE_TOUCHPOINTS) -> Pages:
    """Score every customer by what had happened up to the moment (UTC milliseconds), that moment included.

    A page holds whole customers, of about `rows` touchpoints together: the busiest customer bounds the memory.
    """
    async for customers in histories(client, moment, rows):
        found = ((customer, profile_of(touches, rules)) for customer, touches in customers)
        if page := [Scored(customer, assess(made, moment, rules.model)) for customer, made in found]:
            yield page


History = tuple[str, list[tuple[Step, Record]]]


async def histories(client: Client, until: int, rows: int = PAGE_TOUCHPOINTS) -> AsyncIterator[Iterator[History]]:
    """Every customer's touchpoints up to a moment (UTC milliseconds), in order of time; a page has whole customers."""
    after, last = "", cast(str | None, "")
    while last is not None:
        ends = await client.query(sql.query("page_end"), {"after": after, "rows": rows})
        last = ends[0][0] if ends else None
        parameters = {"after": after, "last": last, "customer": None, "until": until}
        body = await client.raw(sql.query("touchpoints_until"), parameters, fmt="JSONEachRow")
        yield _histories(body)
        after = last or after


def _histories(body: bytes) -> Iterator[History]:
    touches = (_decode_row(line) for line in BytesIO(body))
    for customer, mine in groupby(touches, lambda record: record["customer_id"]):
        yield customer, [(_step(record), record) for record in mine]


def _step(record: Record) -> Step:
    return record["moment"], bytes.fromhex(record["id"]), f"{record['channel']}.{record['touchpoint']}"


def profile_of(touches: Iterable[tuple[Step, Record]], rules: Rules) -> Profile:
    """The profile that at least one touchpoint adds up to, without duplicates and in order of time."""
    made: Profile | None = None
    for step, record in touches:
        if made is None:
            made = Profile(step[0], step)
        if record["direction"] == "inbound":
            _count(made, step[0], rules)
        profiles.add(made, step, record)
    if made is None:
        raise ValueError("a profile needs a touchpoint")
    return made


def _count(made: Profile, moment: int, rules: Rules) -> None:
    """Count the visit and the journey that an inbound touchpoint opens: in order of time, only silence decides."""
    silence = None if made.last_inbound_at is None else moment - made.last_inbound_at
    if silence is None or silence > rules.gaps.journey:
        made.journeys += 1
    if silence is None or silence > min(rules.gaps):
        made.visits += 1
