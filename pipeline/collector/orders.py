"""Orders about alerts over the private listener: acknowledging one, snoozing a customer."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipeline.alerts.orders import acknowledged, snoozed
from pipeline.collector import answers
from pipeline.collector.refusal import Refusal, too_large
from pipeline.errors import UnavailableError
from pipeline.model import ContractError, Record
from pipeline.publisher import Publisher
from schemas.codec import Encoder
from schemas.ids import LOCAL, Ids

_BODY_LIMIT = 16 * 1024
_RETRY_SECONDS = 1
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="touchline"'}


class Orders:
    """Takes orders with the read key, and answers once Kafka has them; giving one again does no harm."""

    def __init__(self, publisher: Publisher, read_key: str, ids: Ids = LOCAL) -> None:
        self._publisher = publisher
        self._key = sha256(read_key.encode()).digest() if read_key else None
        self._encode = Encoder("alerts", ids)

    def routes(self) -> list[Route]:
        """Where orders are taken."""
        return [
            Route("/v1/alerts/{alert_id}/ack", self._acknowledge, methods=["POST"]),
            Route("/v1/customers/{customer_id:path}/snooze", self._snooze, methods=["POST"]),
        ]

    async def _acknowledge(self, request: Request) -> Response:
        return await self._take(request, lambda given, now: acknowledged(request.path_params["alert_id"], given, now))

    async def _snooze(self, request: Request) -> Response:
        return await self._take(request, lambda given, now: snoozed(request.path_params["customer_id"], given, now))

    async def _take(self, request: Request, made: Callable[[Any, int], Record]) -> Response:
        try:
            self._check(request.headers.get("authorization"))
            record = made(await _json(request), time.time_ns() // 1_000_000)
            key = record["customer_id"].encode()
            await self._publisher.publish("alerts", [(key, self._encode(record))])
        except Refusal as refusal:
            return answers.refused(refusal)
        except ContractError as error:
            return answers.refused(Refusal(422, error.path or "body", str(error)))
        except UnavailableError as error:
            return answers.unavailable(str(error), _RETRY_SECONDS)
        return JSONResponse({name: record[name] for name in ("status", "customer_id", "about", "until", "by")})

    def _check(self, authorization: str | None) -> None:
        if self._key is None:
            raise Refusal(401, "key_missing", "set TOUCHLINE_READ_KEY to take orders here", _CHALLENGE)
        scheme, _, key = (authorization or "").partition(" ")
        presented = sha256(key.strip().encode("latin-1", "replace")).digest()
        if scheme.lower() != "bearer" or not hmac.compare_digest(presented, self._key):
            raise Refusal(401, "key_unknown", "send the header Authorization: Bearer <read key>", _CHALLENGE)


async def _json(request: Request) -> Any:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _BODY_LIMIT:
            too_large(f"an order may hold {_BODY_LIMIT:,} bytes")
    try:
        return json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "not_json", "the body is no JSON object") from error
