"""The Faust application of the customers agent: one agent, one table, one transaction per chunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from faust.types import TP

from agents.apps import chunked_app, compression_of
from agents.chunked_app import ChunkedApp
from agents.folder import Folder
from agents.folding import Folding
from agents.marking import Marking
from agents.store import Store
from agents.transactions import Transactions
from pipeline.marks import Start
from pipeline.model_file import LiveRules
from pipeline.settings import Settings
from pipeline.topics import CUSTOMERS_GROUP
from schemas.ids import LOCAL, Ids


def customers_app(
    kafka_url: str, settings: Settings, epochs: dict[str, int], partitions: int, ids: Ids = LOCAL
) -> tuple[ChunkedApp, Folder]:
    """Build the application, and the agent's own object for measurement."""
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
    transactions = Transactions(kafka_url, CUSTOMERS_GROUP, compression_of(settings))
    folding = Folding(LiveRules(settings), epochs["touchpoints"], ids, forget_key=settings.forget_key)
    marking = Marking(kafka_url, CUSTOMERS_GROUP, ["touchpoints"], epochs)
    customers = Folder(folding, store, transactions, marking, app)

    async def starts(assigned: set[TP]) -> Mapping[TP, Start]:
        found = await marking.starts({tp.partition for tp in assigned})
        beginnings = await app.consumer.earliest_offsets(*assigned) if assigned else {}
        customers.begin({tuple(tp): max(start.position, beginnings[TP(*tp)] or 0) for tp, start in found.items()})
        return {TP(*tp): start for tp, start in found.items()}

    app.starts = starts
    store.on_ownership = customers.own
    app.releasing.append(customers.release)

    @app.agent(app.chunks_of("touchpoints"), name="customers")
    async def fold_touchpoints(chunks: Any) -> None:
        with app.failing():
            async for chunk in chunks:
                await customers.take(chunk)

    app.closing += [customers.release, transactions.close]
    return app, customers
