"""The collector's public face as an ASGI app."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline import sentiment
from pipeline.collector import answers, described
from pipeline.collector.gate import Gate
from pipeline.collector.intake import Intake
from pipeline.collector.keep import Keeper
from pipeline.collector.keys import WriteKeys
from pipeline.collector.links.backlog import Backlog
from pipeline.collector.links.mount import Parts, mount
from pipeline.collector.metrics import Metrics
from pipeline.collector.refusal import Refusal
from pipeline.collector.senders import Senders
from pipeline.collector.touchpoints import RETRY_SECONDS, Touchpoints
from pipeline.collector.webhooks import Webhooks
from pipeline.errors import UnavailableError
from pipeline.model import VERSION
from pipeline.privacy import Privacy
from pipeline.publisher import Publisher
from pipeline.settings import Settings
from schemas.ids import LOCAL, Ids


@dataclass(frozen=True)
class Collector:
    """The public app, what the private one shows of it, and the clicks to finish before the publisher stops."""

    app: FastAPI
    metrics: Metrics
    clicks: Backlog | None = None


def build(settings: Settings, publisher: Publisher, ids: Ids = LOCAL) -> Collector:
    """Wire the app.

    Raises ConfigurationError when no write key is set, the links or mappings cannot be used, or an extra lacks that a
    setting needs.
    """
    sentiment.check(settings.derive_sentiment)
    gate = Gate()
    metrics = Metrics(gate, publisher.waiting_seconds)
    keys = WriteKeys(settings.write_keys)
    intake = Intake(ids, Privacy.of(settings), derive_sentiment=settings.derive_sentiment)
    keeper = Keeper(publisher, intake, metrics)
    endpoint = Touchpoints(keeper, keys, gate, metrics, intake)
    webhook = Webhooks(Senders(settings, keys), gate, keeper, intake, metrics)
    app = FastAPI(
        title="Touchline collector",
        version=VERSION,
        description=described.ABOUT,
        redoc_url=None,
        redirect_slashes=False,
    )

    @app.post("/v1/touchpoints", **described.TOUCHPOINTS)
    async def touchpoints(request: Request) -> Response:
        return await endpoint(request)

    @app.post("/v1/webhooks/{source}", **described.WEBHOOKS)
    @app.get("/v1/webhooks/{source}", **described.CHALLENGES)
    @app.head("/v1/webhooks/{source}", **described.LOOKS)
    async def webhooks(request: Request, source: str) -> Response:
        return await webhook(request, source)

    @app.get("/healthz", **described.HEALTH)
    async def healthz() -> Response:
        return JSONResponse({"status": "alive"})

    @app.get("/readyz", **described.READY)
    async def readyz() -> Response:
        try:
            await publisher.check()
        except UnavailableError as error:
            return answers.unavailable(str(error), RETRY_SECONDS)
        return JSONResponse({"status": "ready"})

    clicks = mount(app, settings, Parts(publisher, gate, metrics, intake))
    app.add_exception_handler(HTTPException, _plain)
    described.secure(app)
    return Collector(app, metrics, clicks)


async def _plain(_: Request, error: Exception) -> Response:
    """Give unknown paths and methods the one shape that all errors have."""
    assert isinstance(error, HTTPException)  # noqa: S101 (it is registered for that class)
    code = {404: "not_found", 405: "method"}.get(error.status_code, "http")
    return answers.refused(Refusal(error.status_code, code, str(error.detail), error.headers or {}))
