"""The Faust application of the alerts agent: changes of risk and orders, one table, one transaction per chunk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, NoReturn, cast

from faust.types import TP

from agents.alerting import ORDERED, RISK, Alerting
from agents.apps import chunked_app, compression_of
from agents.chunked_app import ChunkedApp
from agents.folder import TURNS, Folder
from agents.marking import Marking
from agents.store import Store
from agents.transactions import Transactions
from pipeline.alerts.policy import Policy
from pipeline.marks import Start
from pipeline.settings import Settings
from pipeline.topics import ALERTS_GROUP
from schemas.ids import LOCAL, Ids

TICK_SECONDS = 10.0
"""How often what cooldown or a snooze held back is looked at; it is raised that much later at the most."""

DEFER_SECONDS = 1.0
"""How long the position after changes that say nothing may wait for its commit: most do, and a commit is dear."""


def alerts_app(  # noqa: PLR0913 (what it depends on, each once)
    kafka_url: str, settings: Settings, epochs: dict[str, int], partitions: int, *, policy: Policy, ids: Ids = LOCAL
) -> tuple[ChunkedApp, Folder]:
    """Build the application, and what folds its chunks."""
    app = chunked_app(ALERTS_GROUP, kafka_url, settings, done="decided")
    table = app.Table(
        "state",
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
        recovery_buffer_size=2,  # with 1, Faust reads the changelog on after recovery, and puts old states over new
        help="what is remembered of customers' alerts",
    )
    store = cast(Store, table.data)
    app.metrics.states = store.counts
    transactions = Transactions(kafka_url, ALERTS_GROUP, compression_of(settings))
    marking = Marking(kafka_url, ALERTS_GROUP, (RISK, ORDERED), epochs)
    folder = Folder(Alerting(policy, epochs, ids), store, transactions, marking, app, defer_seconds=DEFER_SECONDS)

    async def starts(assigned: set[TP]) -> Mapping[TP, Start]:
        found = await marking.starts({tp.partition for tp in assigned})
        beginnings = await app.consumer.earliest_offsets(*assigned) if assigned else {}
        folder.begin({tuple(tp): max(start.position, beginnings[TP(*tp)] or 0) for tp, start in found.items()})
        return {TP(*tp): start for tp, start in found.items()}

    app.starts = starts
    store.on_ownership = folder.own
    app.releasing.append(folder.release)
    app.seeking.append(folder.pause)
    for topic in (RISK, ORDERED):
        _declare(app, folder, topic)
    app.closing += [folder.release, transactions.close]
    return app, folder


def _declare(app: ChunkedApp, folder: Folder, topic: str) -> None:
    @app.agent(app.chunks_of(topic, TURNS), name=f"alerts-{topic}")
    async def decide(chunks: Any) -> None:
        with app.failing():
            async for chunk in chunks:
                await folder.take(chunk)


async def ticking(app: ChunkedApp, folder: Folder) -> NoReturn:
    """Let time bring about what it does, while the states are whole."""
    ticked = time.monotonic()
    while True:
        await asyncio.sleep(DEFER_SECONDS)
        if not app.settled:
            continue
        await folder.settle()
        if time.monotonic() - ticked >= TICK_SECONDS:
            ticked = time.monotonic()
            await folder.tick(RISK)
