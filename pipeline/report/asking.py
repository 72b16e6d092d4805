"""What a report asks of ClickHouse: a query of its own per section, read-only, each bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.tables import Row
from sinks import sql
from sinks.clickhouse import Client

LISTED = 25
"""Rows of a list that is cut, other than of customers at risk."""
FLOWS = 40
"""Pairs of channels in the table and picture of hand-offs."""
WEEKS = 26
"""Weeks of the voice of the customer, the latest that have answers."""


@dataclass(frozen=True)
class Answers:
    """The rows of every section, as the views give them; `numbers` is the one row of totals."""

    numbers: Row
    journey_map: Sequence[Row]
    risk: Sequence[Row]
    at_risk: Sequence[Row]
    channels: Sequence[Row]
    usage: Sequence[Row]
    stages: Sequence[Row]
    handoffs: Sequence[Row]
    feelings: Sequence[Row]
    moments: Sequence[Row]
    voice: Sequence[Row]

    @property
    def empty(self) -> bool:
        """Nothing has landed yet."""
        return not self.numbers["touchpoints"]


async def ask(client: Client, top: int) -> Answers:
    """Ask for everything, one query after the other; `top` bounds the list of customers at risk.

    What lands meanwhile may be in a later answer and not in an earlier one.
    """

    async def rows(name: str, **parameters: Any) -> list[dict[str, Any]]:
        return await client.look(sql.query(f"report_{name}"), parameters)

    [numbers] = await rows("numbers")
    return Answers(
        numbers=numbers,
        journey_map=await rows("journey_map"),
        risk=await rows("risk"),
        at_risk=await rows("at_risk", rows=top),
        channels=await rows("channels"),
        usage=await rows("usage", rows=LISTED),
        stages=await rows("stages"),
        handoffs=await rows("handoffs", rows=FLOWS),
        feelings=await rows("feelings"),
        moments=await rows("moments", rows=LISTED),
        voice=await rows("voice", rows=WEEKS),
    )
