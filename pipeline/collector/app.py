"""The collector's public face as an ASGI app."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from pipeline import sentiment
from pipeline.collector import answers, described, described_feeds, segment
from pipeline.collector.entry import Entry
from pipeline.collector.gate import Gate
from pipeline.collector.intake import Intake
from pipeline.collector.keep import Keeper
from pipeline.collector.key_watch import KeyWatch
from pipeline.collector.keys import keys_of_setting
from pipeline.collector.limiter import Limiter
from pipeline.collector.links.backlog import Backlog
from pipeline.collector.links.mount import Parts, mount
from pipeline.collector.metrics import Metrics
from pipeline.collector.origins import preflight
from pipeline.collector.refusal import Refusal
from pipeline.collector.senders import Senders
from pipeline.collector.touchpoints import RETRY_SECONDS, Touchpoints
from pipeline.collector.webhooks import Webhooks
from pipeline.errors import UnavailableError
from pipeline.forgotten import Register
from pipeline.model import VERSION
from pipeline.privacy import Privacy
from pipeline.publisher import Publisher
from pipeline.settings import Settings
from schemas.ids import LOCAL, Ids


@dataclass(frozen=True)
class Collector:
    """The public app, what the private one shows of it, and the clicks to finish before the publisher stops.

    Whose events are refused because they are to stay forgotten is for its owner to keep up to date in `forgotten`.
    """

    app: FastAPI
    metrics: Metrics
    clicks: Backlog | None = None
    forgotten: Register = field(default_factory=Register)


def build(settings: Settings, publisher: Publisher, ids: Ids = LOCAL) -> Collector:
    """Wire the app.

    Raises ConfigurationError when there can be no write key, the file of keys, the links or mappings cannot be used, or
    an extra lacks that a setting needs.
    """
    sentiment.check(settings.derive_sentiment)
    gate = Gate()
    metrics = Metrics(gate, publisher.waiting_seconds)
    keys = KeyWatch(keys_of_setting(settings.write_keys), settings.keys_file)
    metrics.watch(keys)
    entry = Entry(keys, Limiter(settings.key_rate, settings.key_burst), gate)
    register = Register(settings.forget_key)
    intake = Intake(ids, Privacy.of(settings), derive_sentiment=settings.derive_sentiment, register=register)
    keeper = Keeper(publisher, intake, metrics)
    endpoint = Touchpoints(keeper, entry, metrics, intake)
    webhook = Webhooks(Senders(settings, entry), entry, keeper, intake, metrics)
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

    @app.options("/v1/touchpoints", include_in_schema=False)
    async def asked_before(request: Request) -> Response:
        return preflight(request, entry.origins())

    @app.post("/v1/webhooks/{source}", **described.WEBHOOKS)
    @app.get("/v1/webhooks/{source}", **described.CHALLENGES)
    @app.head("/v1/webhooks/{source}", **described.LOOKS)
    async def webhooks(request: Request, source: str) -> Response:
        return await webhook(request, source)

    @app.post("/v1/events", **described_feeds.CLOUDEVENTS)
    async def events(request: Request) -> Response:
        return await webhook(request, "cloudevents")

    segment.mount(app, webhook, entry)

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
    app.add_exception_handler(HTTPException, plain)
    described.secure(app)
    return Collector(app, metrics, clicks, register)


async def plain(request: Request, error: Exception) -> Response:
    """Give unknown paths and methods the one shape that all errors have."""
    assert isinstance(error, HTTPException)  # noqa: S101 (it is registered for that class)
    code = {404: "not_found", 405: "method"}.get(error.status_code, "http")
    headers = {"Allow": _methods(request)} if error.status_code == 405 else error.headers or {}
    return answers.refused(Refusal(error.status_code, code, str(error.detail), headers))


def _methods(request: Request) -> str:
    """Return all methods of a path; a route of its own for each knows only its own."""
    routes = [route for route in request.app.routes if isinstance(route, Route) and route.methods]
    here = [route.methods or set() for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted(set().union(*here)))
