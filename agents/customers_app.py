"""The Faust application of the customers agent: one agent, one table, one transaction per chunk."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NoReturn, cast

from faust.types import TP

from agents.apps import chunked_app, compression_of
from agents.chunked_app import ChunkedApp
from agents.folder import TURNS, Folder
from agents.folding import Folding
from agents.marking import Marking
from agents.silences import Silences
from agents.store import Store
from agents.transactions import Transactions
from pipeline.marks import Start
from pipeline.model_file import LiveRules
from pipeline.settings import Settings
from pipeline.topics import CUSTOMERS_GROUP
from schemas.ids import LOCAL, Ids

TOPIC = "touchpoints"
TICK_SECONDS = 5.0
"""How often the changes that silence brings are looked at: they come that much later at the most."""
_LOOK_EVERY_SECONDS = 1.0
_LOOK_SECONDS = 0.02
"""How long one look may hold up the other work; at about 150 us a customer."""

Tick = Callable[[], Coroutine[Any, Any, NoReturn]]


def customers_app(
    kafka_url: str, settings: Settings, epochs: dict[str, int], partitions: int, ids: Ids = LOCAL
) -> tuple[ChunkedApp, Folder, Tick]:
    """Build the application, the agent's own object for measurement, and what runs beside it for ever."""
    app = chunked_app(CUSTOMERS_GROUP, kafka_url, settings, done="folded")
    table = app.Table(
        "state",
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
        recovery_buffer_size=2,  # with 1, Faust reads the changelog on after recovery, and puts old states over new
        help="customer states",
    )
    store = cast(Store, table.data)
    app.metrics.states = store.counts
    transactions = Transactions(kafka_url, CUSTOMERS_GROUP, compression_of(settings))
    rules = LiveRules(settings)
    silences = Silences(rules, settings.quiet_seconds)
    folding = Folding(rules, epochs["touchpoints"], ids, due=silences.due, forget_key=settings.forget_key)
    marking = Marking(kafka_url, CUSTOMERS_GROUP, [TOPIC], epochs)
    customers = Folder(folding, store, transactions, marking, app)

    async def starts(assigned: set[TP]) -> Mapping[TP, Start]:
        found = await marking.starts({tp.partition for tp in assigned})
        beginnings = await app.consumer.earliest_offsets(*assigned) if assigned else {}
        customers.begin({tuple(tp): max(start.position, beginnings[TP(*tp)] or 0) for tp, start in found.items()})
        return {TP(*tp): start for tp, start in found.items()}

    async def own(owned: set[int], lost: set[int]) -> None:
        silences.forget(lost)
        await customers.own(owned, lost)

    async def tick() -> NoReturn:
        ordered = time.monotonic()
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            if not app.settled:
                continue
            for partition in customers.partitions(TOPIC):
                silences.look(partition, store.states(partition), _LOOK_SECONDS)
            if time.monotonic() - ordered >= TICK_SECONDS:
                ordered = time.monotonic()
                await customers.tick(TOPIC)

    app.starts = starts
    store.on_ownership = own
    store.on_change = silences.changed
    app.releasing.append(customers.release)
    app.seeking.append(customers.pause)

    @app.agent(app.chunks_of(TOPIC, TURNS), name="customers")
    async def fold_touchpoints(chunks: Any) -> None:
        with app.failing():
            async for chunk in chunks:
                await customers.take(chunk)

    app.closing += [customers.release, transactions.close]
    return app, customers, tick
