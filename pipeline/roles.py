"""The long-running roles, each a process of its own, wired from the settings.

`python -m pipeline.roles NAME` runs one, as `touchline collector` and `touchline worker NAME` do; each loads only what
it needs, so that a stack of them starts fast.
"""

# ruff: noqa: PLC0415 (that is why the imports stand in the functions)

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import uvloop
from aiokafka import TopicPartition

from pipeline import logs, readiness, topics
from pipeline.errors import ConfigurationError, TouchlineError, UnavailableError
from pipeline.settings import Settings, load

if TYPE_CHECKING:
    from pipeline.collector.serve import Listening
    from sinks.clickhouse import Client

log = logging.getLogger(__name__)


async def run_collector(settings: Settings) -> None:
    """Take events in over HTTP until told to stop."""
    from pipeline.collector.serve import serve

    def ready(listening: Listening) -> None:
        readiness.announce(listening._asdict())

    await serve(settings, on_ready=ready)


async def run_customers(settings: Settings) -> None:
    """Fold touchpoints into journeys, profiles and risk until told to stop."""
    from agents import worker
    from agents.customers_app import customers_app
    from pipeline.positions import Marks, committed, settle
    from pipeline.registry import schema_ids_at_last
    from pipeline.watch import watch

    kafka_url = kafka_of(settings)
    ids = await schema_ids_at_last(settings)
    epochs = await prepare_topics(settings)
    partitions = (await topics.partition_counts(kafka_url, ["touchpoints"]))["touchpoints"]
    wanted = [TopicPartition("touchpoints", number) for number in range(partitions)]

    async def marks(_: Mapping[str, int]) -> Marks:
        return await committed(kafka_url, topics.CUSTOMERS_GROUP, wanted)

    epochs = await settle(kafka_url, epochs, marks)
    app, _, tick = customers_app(kafka_url, settings, epochs, partitions, ids)

    async def beside() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(watch(kafka_url, epochs))
            group.create_task(tick())

    await worker.run(app, settings, _announcing("customers"), beside)


async def run_alerts(settings: Settings) -> None:
    """Raise and end alerts from changes of risk until told to stop."""
    from agents import worker
    from agents.alerts_app import alerts_app, ticking
    from pipeline.alert_plan import plan_of
    from pipeline.positions import Marks, committed, settle
    from pipeline.registry import schema_ids_at_last
    from pipeline.watch import watch

    kafka_url, plan = kafka_of(settings), plan_of(settings)
    ids = await schema_ids_at_last(settings)
    epochs = await prepare_topics(settings)
    partitions = (await topics.partition_counts(kafka_url, ["risk"]))["risk"]
    wanted = [TopicPartition(topic, number) for topic in ("risk", "alerts") for number in range(partitions)]

    async def marks(_: Mapping[str, int]) -> Marks:
        return await committed(kafka_url, topics.ALERTS_GROUP, wanted)

    epochs = await settle(kafka_url, epochs, marks)
    app, folder = alerts_app(kafka_url, settings, epochs, partitions, policy=plan.policy, ids=ids)

    async def beside() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(watch(kafka_url, epochs))
            group.create_task(ticking(app, folder))

    await worker.run(app, settings, _announcing("alerts"), beside)


async def run_delivery(settings: Settings) -> None:
    """Deliver alerts to the destinations until told to stop."""
    from agents import worker
    from agents.delivery_app import delivery_app
    from pipeline.alert_plan import plan_of
    from pipeline.positions import Marks, committed, settle
    from pipeline.registry import schema_ids_at_last
    from pipeline.watch import watch

    kafka_url, plan = kafka_of(settings), plan_of(settings)
    if not plan.routes:
        raise ConfigurationError("TOUCHLINE_ALERTS: name a file with destinations and routes, or run no delivery")
    ids = await schema_ids_at_last(settings)
    epochs = await prepare_topics(settings)
    partitions = (await topics.partition_counts(kafka_url, ["alerts"]))["alerts"]
    wanted = [TopicPartition("alerts", number) for number in range(partitions)]

    async def marks(_: Mapping[str, int]) -> Marks:
        return await committed(kafka_url, topics.DELIVERY_GROUP, wanted)

    epochs = await settle(kafka_url, epochs, marks)
    app, deliverer = delivery_app(kafka_url, settings, epochs, plan, ids)

    async def beside() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(watch(kafka_url, epochs))
            group.create_task(deliverer.run())

    await worker.run(app, settings, _announcing("delivery"), beside)


async def run_landing(settings: Settings) -> None:
    """Land every topic in ClickHouse until told to stop."""
    from agents import worker
    from agents.census import FIRST, Census
    from agents.landing_app import landing_app
    from pipeline.positions import settle
    from pipeline.registry import schema_ids_at_last
    from pipeline.watch import watch
    from sinks.ledger import landed_marks
    from sinks.migrate import migrate

    kafka_url = kafka_of(settings)
    ids = await schema_ids_at_last(settings)
    epochs = await prepare_topics(settings)
    async with await clickhouse_of(settings) as client:
        await migrate(client, settings)
        epochs = await settle(kafka_url, epochs, lambda current: landed_marks(client, current))
        app, _ = landing_app(kafka_url, settings, epochs, client, ids)
        census = Census(client, app.metrics.registry)

        async def beside() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(watch(kafka_url, epochs))
                group.create_task(census.run(lambda: app.settled and FIRST in app.flow.reached()))

        await worker.run(app, settings, _announcing("landing"), beside)


def _announcing(role: str) -> Callable[[str], None]:
    """What says that a worker is ready, with the address of its private listener."""
    return lambda url: readiness.announce({"role": role, "url": url})


ROLES: dict[str, Callable[[Settings], Awaitable[None]]] = {
    "collector": run_collector,
    "customers": run_customers,
    "alerts": run_alerts,
    "delivery": run_delivery,
    "landing": run_landing,
}


async def prepare_topics(settings: Settings) -> dict[str, int]:
    """Make the topics that are missing; all epochs by topic."""
    return await topics.ensure(kafka_of(settings), making(settings), lambda: highest_epoch(settings))


async def highest_epoch(settings: Settings) -> int:
    """The highest epoch that ClickHouse knows; 0 where it is away or not set, for then the clock must do."""
    from sinks.ledger import highest_epoch

    if settings.clickhouse_url is None:
        return 0
    try:
        async with await clickhouse_of(settings) as client:
            return await highest_epoch(client)
    except UnavailableError as error:
        log.warning("new epochs are given by the clock alone: %s", error)
        return 0


def making(settings: Settings) -> topics.Making:
    """How new topics are made."""
    return topics.Making(settings.partitions, settings.replication_factor, settings.retention_hours)


def kafka_of(settings: Settings) -> str:
    """The brokers set. Raises ConfigurationError when none are."""
    if settings.kafka_url is None:
        raise ConfigurationError("TOUCHLINE_KAFKA_URL is not set: name the brokers, host:port[,host:port]")
    return settings.kafka_url


async def clickhouse_of(settings: Settings) -> Client:
    """A client of the server set. Raises ConfigurationError when none is, UnavailableError when it is away."""
    from sinks.clickhouse import connect

    if settings.clickhouse_url is None:
        raise ConfigurationError("TOUCHLINE_CLICKHOUSE_URL is not set: name the server, http(s)://host:port")
    return await connect(settings.clickhouse_url, settings.clickhouse_user, settings.clickhouse_password)


def main() -> int:
    """Run the role named by the first argument; the exit status is 0, 1 (cannot go on) or 2 (a setting is wrong)."""
    try:
        logs.configure(load().log_level, load().log_format, sys.argv[1])
        uvloop.run(ROLES[sys.argv[1]](load()))  # type: ignore[arg-type]
    except TouchlineError as error:
        sys.stderr.write(f"touchline {sys.argv[1]}: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
