"""GET /v1/customers/{customer_id}: what a member of staff should see when this customer calls now."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.collector import answers
from pipeline.collector.read_key import ReadKey
from pipeline.collector.refusal import Refusal
from pipeline.console.front_desk import FrontDesk
from pipeline.console.warehouse import Warehouse
from pipeline.errors import TouchlineError

_RETRY_SECONDS = 1
_UNKNOWN = Refusal(404, "unknown_customer", "nobody was ever seen with this id: is it spelt right?")


class CustomersEndpoint:
    """Shows the row of view screen_pop to whoever has the read key."""

    def __init__(self, warehouse: Warehouse, key: ReadKey) -> None:
        self._desk = FrontDesk(warehouse)
        self._key = key

    async def __call__(self, request: Request, customer_id: str) -> Response:
        """The row as the view has it; 404 for who was never seen, 503 while ClickHouse cannot answer."""
        try:
            self._key.check_header(request.headers.get("authorization"))
            row = await self._desk.look_up(customer_id)
        except Refusal as refusal:
            return answers.refused(refusal)
        except TouchlineError as error:
            return answers.unavailable(str(error), _RETRY_SECONDS)
        if row is None:
            return answers.refused(_UNKNOWN)
        return JSONResponse(row, headers={"Cache-Control": "no-store"})
