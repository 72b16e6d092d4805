"""Orders about alerts over the private listener: acknowledging one, snoozing a customer."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.alerts.orders import acknowledged, snoozed
from pipeline.collector import answers
from pipeline.collector.read_key import ReadKey
from pipeline.collector.refusal import Refusal
from pipeline.collector.small_body import json_of
from pipeline.errors import UnavailableError
from pipeline.model import ContractError, Record
from pipeline.publisher import Publisher
from schemas.codec import Encoder
from schemas.ids import LOCAL, Ids

_RETRY_SECONDS = 1


class Orders:
    """Gives orders to the alerts agent: what returns, Kafka has. Giving one again does no harm."""

    def __init__(self, publisher: Publisher, ids: Ids = LOCAL) -> None:
        self._publisher = publisher
        self._encode = Encoder("alerts", ids)

    async def acknowledge(self, alert_id: str, given: Any) -> Record:
        """Somebody takes an alert on. Raises ContractError that names the field, UnavailableError."""
        return await self._give(acknowledged(alert_id, given, _now()))

    async def snooze(self, customer_id: str, given: Any) -> Record:
        """Nothing is raised for a customer for a while. Raises ContractError that names the field, UnavailableError."""
        return await self._give(snoozed(customer_id, given, _now()))

    async def _give(self, record: Record) -> Record:
        await self._publisher.publish("alerts", [(record["customer_id"].encode(), self._encode(record))])
        return record


class OrdersEndpoint:
    """Takes orders over HTTP from whoever has the read key."""

    def __init__(self, orders: Orders, key: ReadKey) -> None:
        self._orders = orders
        self._key = key

    async def acknowledge(self, request: Request) -> Response:
        """POST /v1/alerts/{alert_id}/ack."""
        return await self._take(request, lambda given: self._orders.acknowledge(request.path_params["alert_id"], given))

    async def snooze(self, request: Request) -> Response:
        """POST /v1/customers/{customer_id}/snooze."""
        return await self._take(request, lambda given: self._orders.snooze(request.path_params["customer_id"], given))

    async def _take(self, request: Request, give: Callable[[Any], Awaitable[Record]]) -> Response:
        try:
            self._key.check_header(request.headers.get("authorization"))
            record = await give(await json_of(request))
        except Refusal as refusal:
            return answers.refused(refusal)
        except ContractError as error:
            return answers.refused(Refusal(422, error.path or "body", str(error)))
        except UnavailableError as error:
            return answers.unavailable(str(error), _RETRY_SECONDS)
        return JSONResponse({name: record[name] for name in ("status", "customer_id", "about", "until", "by")})


def _now() -> int:
    return time.time_ns() // 1_000_000
