"""The private listener: what only the company's own people and machines may see."""

from __future__ import annotations

from fastapi import FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from pipeline.collector import any_text
from pipeline.collector import described_private as described
from pipeline.collector.app import plain
from pipeline.collector.customers import CustomersEndpoint
from pipeline.collector.metrics import Metrics
from pipeline.collector.orders import Orders, OrdersEndpoint
from pipeline.collector.read_key import ReadKey
from pipeline.console import app as console
from pipeline.console.figures import Overview
from pipeline.console.warehouse import Warehouse
from pipeline.model import VERSION
from pipeline.settings import Settings

ID = f"{{customer_id:{any_text.NAME}}}"


def build(settings: Settings, metrics: Metrics, orders: Orders, warehouse: Warehouse) -> FastAPI:
    """Build the app that serves /metrics to anybody here, and to whoever has the read key customers and the console."""
    key = ReadKey(settings.read_key)
    taking, customer = OrdersEndpoint(orders, key), CustomersEndpoint(warehouse, key)
    app = FastAPI(
        title="Touchline, the private listener",
        version=VERSION,
        description=described.ABOUT,
        redoc_url=None,
        redirect_slashes=False,
    )

    @app.get("/metrics", **described.METRICS)
    async def show() -> Response:
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    @app.post("/v1/alerts/{alert_id}/ack", **described.ACKNOWLEDGE)
    async def acknowledge(request: Request, alert_id: str) -> Response:
        return await taking.acknowledge(request)

    @app.post(f"/v1/customers/{ID}/snooze", **described.SNOOZE)
    async def snooze(request: Request, customer_id: str) -> Response:
        return await taking.snooze(request)

    @app.get(f"/v1/customers/{ID}", **described.CUSTOMER)
    async def customers(request: Request, customer_id: str) -> Response:
        return await customer(request, customer_id)

    app.router.routes.extend(console.routes(key, orders, warehouse, Overview(warehouse, settings.kafka_url or "")))
    app.add_exception_handler(HTTPException, plain)
    described.secure(app)
    return app
