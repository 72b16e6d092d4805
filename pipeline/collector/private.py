"""The private listener: what only the company's own people and machines may see."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pipeline.collector.metrics import Metrics
from pipeline.collector.orders import Orders


def build(metrics: Metrics, orders: Orders) -> Starlette:
    """Build the app that serves /metrics, and takes orders about alerts from whoever has the read key."""

    async def show(_: Request) -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/metrics", show), *orders.routes()])
