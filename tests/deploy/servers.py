"""Kafka, ClickHouse and a schema registry for the smoke test: on this machine, or the images of deploy/compose.yaml."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.local.registry import SchemaRegistry
from pipeline.local.stack import LocalStack
from tests.deploy.composed import compose, filled

DOCKER = "docker"
PASSWORD = "a-password"


@dataclass(frozen=True)
class Servers:
    """Where they answer."""

    kafka_url: str
    clickhouse_url: str
    user: str
    password: str
    registry_url: str


def why_no_docker() -> str | None:
    """Why containers cannot be started here; None when they can, and were asked for."""
    if os.environ.get("TOUCHLINE_TEST_BROKER") != DOCKER:
        return (
            "set TOUCHLINE_TEST_BROKER=docker to run it in containers, where a Docker engine with images is reachable"
        )
    import docker

    try:
        client = docker.from_env()
        client.ping()
        client.close()
    except docker.errors.DockerException as error:
        return f"no Docker engine is reachable: {error}"
    return None


@asynccontextmanager
async def local(folder: Path) -> AsyncIterator[Servers]:
    """Apache Kafka and the ClickHouse engine as processes of this machine."""
    stack = LocalStack(folder, "kafka", lambda _: None)
    try:
        found = await stack.start()
        async with SchemaRegistry() as registry:
            yield Servers(
                found.kafka_url,
                found.clickhouse_url,
                found.clickhouse_user,
                found.clickhouse_password,
                registry.url,
            )
    finally:
        await stack.stop()


@asynccontextmanager
async def containers(_: Path) -> AsyncIterator[Servers]:
    """The images that deploy/compose.yaml names, and its settings of Kafka."""
    from testcontainers.clickhouse import ClickHouseContainer
    from testcontainers.kafka import KafkaContainer

    services = compose(filled({}))["services"]
    kafka: Any = KafkaContainer(services["kafka"]["image"]).with_kraft()
    for name in ("KAFKA_AUTO_CREATE_TOPICS_ENABLE", "KAFKA_MESSAGE_MAX_BYTES"):
        kafka = kafka.with_env(name, services["kafka"]["environment"][name])
    clickhouse: Any = ClickHouseContainer(
        services["clickhouse"]["image"], username="touchline", password=PASSWORD, dbname="touchline"
    )
    with kafka, clickhouse:
        async with SchemaRegistry() as registry:
            url = f"http://{clickhouse.get_container_host_ip()}:{clickhouse.get_exposed_port(8123)}"
            yield Servers(kafka.get_bootstrap_server(), url, "touchline", PASSWORD, registry.url)
