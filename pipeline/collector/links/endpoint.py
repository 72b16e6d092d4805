"""GET /l/{code}: send a person on to where a link leads, and let Kafka know."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pipeline.collector.gate import Gate
from pipeline.collector.intake import Intake
from pipeline.collector.links.backlog import Backlog
from pipeline.collector.links.book import Book
from pipeline.collector.links.cookie import VisitorCookie, minted
from pipeline.collector.links.metrics import LinkMetrics
from pipeline.collector.links.visitor import browser, looked_ahead, opted_out
from pipeline.collector.pieces import Piece
from pipeline.collector.refusal import Refusal
from pipeline.lanes import Message
from pipeline.link_targets import utm_of, with_parameters
from pipeline.link_tokens import PARAMETER, Signer
from pipeline.links import Link

log = logging.getLogger(__name__)

_HEADERS: Mapping[str, str] = MappingProxyType(
    {"Cache-Control": "no-store", "Referrer-Policy": "strict-origin", "X-Robots-Tag": "noindex"}
)


@dataclass(frozen=True)
class Links:
    """The endpoint. It sends nobody anywhere but to a registered target, whatever is asked and whoever is away."""

    book: Book
    signer: Signer
    cookie: VisitorCookie
    intake: Intake
    backlog: Backlog
    gate: Gate
    metrics: LinkMetrics
    wait_seconds: float

    async def follow(self, request: Request) -> Response:
        """302 to the target, once Kafka has the click or it has waited long enough; 404 or 410 in plain text."""
        now = time.time_ns() // 1_000_000
        link = (await self.book.current()).get(request.path_params["code"])
        if link is None:
            return self._nowhere(404, "unknown", "There is no such link here.\n")
        if link.expired(now):
            return self._nowhere(410, "expired", "This link has ended.\n")
        utm = utm_of(request.query_params) if link.pass_query else {}
        response = Response(status_code=302, headers={**_HEADERS, "Location": with_parameters(link.target, utm)})
        self.metrics.redirected(link.kind)
        ignored = looked_ahead(request.method, request.headers) or await self._click(link, request, response, utm, now)
        if ignored:
            self.metrics.ignored(ignored)
        return response

    def _nowhere(self, status: int, reason: str, text: str) -> Response:
        self.metrics.nowhere(reason)
        return PlainTextResponse(text, status, {**_HEADERS, "X-Content-Type-Options": "nosniff"})

    async def _click(
        self, link: Link, request: Request, response: Response, utm: Mapping[str, str], now: int
    ) -> str | None:
        """Hand a person's click to Kafka, and wait a little; or the reason why it is none."""
        ids = self._ids(link, request, response)
        if not ids:
            return "opted_out"
        attributes = {**utm, "browser": browser(request.headers.get("user-agent", ""))}
        moment = datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds")
        message = self._encoded(link.touchpoint(moment, attributes, **ids), now)
        if message is not None and (sending := self.backlog.put(message)) is not None:
            await self._wait(sending)
        return None

    def _ids(self, link: Link, request: Request, response: Response) -> dict[str, str]:
        """Who clicks: the customer of a token, and the browser unless it asks not to be known again."""
        ids = {}
        if token := request.query_params.get(PARAMETER):
            customer_id = self.signer.customer(link.code, token)
            if customer_id is None:
                self.metrics.token_refused()
            else:
                ids["customer_id"] = customer_id
        if not opted_out(request.headers):
            known = self.cookie.read(request.cookies)
            ids["anonymous_id"] = known or minted()
            if not known:
                self.cookie.set(response, ids["anonymous_id"], request.url.scheme)
        return ids

    def _encoded(self, event: Mapping[str, object], now: int) -> Message | None:
        taken = self.intake.take([Piece(0, to_json(event))], now, "link")
        if taken.accepted:
            return taken.accepted[0]
        self.metrics.lost("failed")
        log.error("a click on a link is lost: %s", ", ".join(each.code for each in taken.refused[0][1].errors))
        return None

    async def _wait(self, sending: asyncio.Task[None]) -> None:
        """Wait for Kafka while there is room to wait in; what is on its way goes on all the same."""
        try:
            with self.gate.admit():
                done, _ = await asyncio.wait({sending}, timeout=self.wait_seconds)
        except Refusal:
            done = set()
        if not done:
            self.metrics.late()
