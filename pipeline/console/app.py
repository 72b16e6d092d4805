"""The console's routes."""

from __future__ import annotations

import secrets

from starlette.routing import Route

from pipeline.collector.orders import Orders
from pipeline.collector.read_key import ReadKey
from pipeline.console import assets
from pipeline.console.actions import Actions
from pipeline.console.figures import Overview
from pipeline.console.gate import HOME, SIGN_IN, Gate
from pipeline.console.pages import Pages
from pipeline.console.session import Sessions
from pipeline.console.sign_in import SignIn
from pipeline.console.warehouse import Warehouse


def routes(key: ReadKey, orders: Orders, warehouse: Warehouse, overview: Overview) -> list[Route]:
    """All of the console. Without a read key nobody can sign in, and the page to do so says why."""
    sessions = Sessions(key.secret("console") if key.is_set else secrets.token_bytes(32))
    gate, pages, actions = Gate(sessions), Pages(warehouse, overview), Actions(orders, warehouse)
    sign_in = SignIn(key, sessions)
    return [
        Route("/", gate.plain(gate.home)),
        Route(HOME, gate.page(pages.overview)),
        Route(f"{HOME}/", gate.page(pages.overview)),
        Route(f"{HOME}/figures.json", gate.data(pages.figures)),
        Route(f"{HOME}/at-risk", gate.page(pages.at_risk)),
        Route(f"{HOME}/customer", gate.page(pages.customer)),
        Route(f"{HOME}/acknowledge", gate.action(actions.acknowledge), methods=["POST"]),
        Route(f"{HOME}/snooze", gate.action(actions.snooze), methods=["POST"]),
        Route(f"{HOME}/sign-out", gate.action(sign_in.leave), methods=["POST"]),
        Route(SIGN_IN, gate.plain(sign_in.show), methods=["GET"]),
        Route(SIGN_IN, gate.plain(sign_in.take), methods=["POST"]),
        Route(assets.PATH + "/{name}", gate.plain(assets.serve)),
    ]
