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
from pipeline.collector.keys import WriteKeys
from pipeline.collector.metrics import Metrics
from pipeline.collector.refusal import Refusal
from pipeline.collector.touchpoints import RETRY_SECONDS, Touchpoints
from pipeline.errors import UnavailableError
from pipeline.model import VERSION
from pipeline.privacy import Privacy
from pipeline.publisher import Publisher
from pipeline.settings import Settings
from schemas.ids import LOCAL, Ids


@dataclass(frozen=True)
class Collector:
    """The public app, and what the private one shows of it."""

    app: FastAPI
    metrics: Metrics


def build(settings: Settings, publisher: Publisher, ids: Ids = LOCAL) -> Collector:
    """Wire the app. Raises ConfigurationError when no write key is set, or an extra lacks that a setting needs."""
    sentiment.check(settings.derive_sentiment)
    gate = Gate()
    metrics = Metrics(gate, publisher.waiting_seconds)
    endpoint = Touchpoints(publisher, WriteKeys(settings.write_keys), gate, metrics, Intake(ids, Privacy.of(settings)))
    app = FastAPI(title="Touchline collector", version=VERSION, description=described.ABOUT, redoc_url=None)

    @app.post("/v1/touchpoints", **described.TOUCHPOINTS)
    async def touchpoints(request: Request) -> Response:
        return await endpoint(request)

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

    app.add_exception_handler(HTTPException, _plain)
    described.secure(app)
    return Collector(app, metrics)


async def _plain(_: Request, error: Exception) -> Response:
    """Give unknown paths and methods the one shape that all errors have."""
    assert isinstance(error, HTTPException)  # noqa: S101 (it is registered for that class)
    code = {404: "not_found", 405: "method"}.get(error.status_code, "http")
    return answers.refused(Refusal(error.status_code, code, str(error.detail), error.headers or {}))
