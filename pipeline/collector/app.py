"""The collector's public face as an ASGI app."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.collector import answers, described
from pipeline.collector.entry import Entry
from pipeline.collector.gate import Gate
from pipeline.collector.intake import Intake
from pipeline.collector.key_watch import KeyWatch
from pipeline.collector.keys import keys_of_setting
from pipeline.collector.limiter import Limiter
from pipeline.collector.metrics import Metrics
from pipeline.collector.origins import preflight
from pipeline.collector.refusal import Refusal
from pipeline.collector.touchpoints import RETRY_SECONDS, Touchpoints
from pipeline.errors import UnavailableError
from pipeline.model import VERSION
from pipeline.publisher import Publisher
from pipeline.settings import Settings
from schemas.ids import LOCAL, Ids


@dataclass(frozen=True)
class Collector:
    """The public app, and what the private one shows of it."""

    app: FastAPI
    metrics: Metrics


def build(settings: Settings, publisher: Publisher, ids: Ids = LOCAL) -> Collector:
    """Wire the app. Raises ConfigurationError when there can be no write key, or the file of keys is broken."""
    gate = Gate()
    keys = KeyWatch(keys_of_setting(settings.write_keys), settings.keys_file)
    entry = Entry(keys, Limiter(settings.key_rate, settings.key_burst), gate)
    metrics = Metrics(gate, publisher.waiting_seconds, keys)
    endpoint = Touchpoints(publisher, entry, metrics, Intake(ids))
    app = FastAPI(title="Touchline collector", version=VERSION, description=described.ABOUT, redoc_url=None)

    @app.post("/v1/touchpoints", **described.TOUCHPOINTS)
    async def touchpoints(request: Request) -> Response:
        return await endpoint(request)

    @app.options("/v1/touchpoints", include_in_schema=False)
    async def asked_before(request: Request) -> Response:
        return preflight(request, entry.origins())

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
