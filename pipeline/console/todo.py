"""What is still to be done about customers: the alert that is not over, and whether they are snoozed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.console.warehouse import Row, Warehouse


class ToDo(NamedTuple):
    """By customer the alert that is open or acknowledged, and the snooze that holds now."""

    alerts: dict[str, Row]
    snoozes: dict[str, Row]


async def todo(warehouse: Warehouse, customers: Sequence[str]) -> ToDo:
    """Look up what is to be done about these customers. Raises what `Warehouse.rows` raises."""
    alerts, snoozes = await asyncio.gather(
        warehouse.rows("console_alerts", customers=list(customers)),
        warehouse.rows("console_snoozes", customers=list(customers)),
    )
    return ToDo({row["customer_id"]: row for row in alerts}, {row["customer_id"]: row for row in snoozes})
