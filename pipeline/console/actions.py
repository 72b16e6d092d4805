"""What can be done on the pages: take an alert on, snooze a customer. The same orders as over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from pipeline.collector.orders import Orders
from pipeline.console.gate import Form, back_to
from pipeline.console.session import Session
from pipeline.console.warehouse import Warehouse
from pipeline.errors import TouchlineError
from pipeline.model import Record

WAIT_SECONDS = 4.0
_POLL_SECONDS = 0.1


class Actions:
    """Gives an order, and goes back to where it came from as soon as the views know of it."""

    def __init__(self, orders: Orders, warehouse: Warehouse) -> None:
        self._orders = orders
        self._warehouse = warehouse

    async def acknowledge(self, _: Request, session: Session, form: Form) -> Response:
        """POST /console/acknowledge."""
        given = {"customer_id": form.get("customer_id", ""), "by": session.by}
        record = await self._orders.acknowledge(form.get("alert_id", ""), given)
        return await self._back(record, form, "acknowledged")

    async def snooze(self, _: Request, session: Session, form: Form) -> Response:
        """POST /console/snooze."""
        length = form.get("for", "")
        record = await self._orders.snooze(form.get("customer_id", ""), {"for": length, "by": session.by})
        return await self._back(record, form, "awake" if record["until"] <= record["attempted_at"] else "snoozed")

    async def _back(self, record: Record, form: Form, said: str) -> Response:
        shown = said if await self._has_landed(record) else "later"
        return RedirectResponse(_with(back_to(form.get("back", "")), {"said": shown}), 303)

    async def _has_landed(self, record: Record) -> bool:
        """Wait a little, until the order can be seen; Kafka has it in any case."""
        wanted = {"customer": record["customer_id"], "order": record["alert_id"]}
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while await self._warehouse.row("console_order_landed", **wanted) is None:  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_SECONDS)
        except (TimeoutError, TouchlineError):
            return False
        return True


def _with(address: str, parameters: Mapping[str, str]) -> str:
    return address + ("&" if "?" in address else "?") + urlencode(parameters)
