"""Apache Kafka as one KRaft node on loopback."""

from __future__ import annotations

import os
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from pathlib import Path

from pipeline.local import broker
from pipeline.local.child import run
from pipeline.local.jars import kafka_jars
from pipeline.local.java import find_java

MEBIBYTE = 1024 * 1024
JVM = ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:TieredStopAtLevel=1"]
"""The quick compiler alone: on two cores, beside its clients, it carries more records for less CPU time."""
FORMAT_SECONDS = 60.0

LOGGING = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
"""


class Kafka:
    """One Kafka node, its data and settings in `folder`, listening on two loopback ports only.

    Topics are never made by accident (auto.create.topics.enable=false); committed offsets are kept for a
    year, so that a machine switched off for weeks goes on where it stopped. What was acknowledged survives
    SIGKILL, not a power cut. After a SIGKILL the node waits for its predecessor's session to expire (1.5 s).
    """

    name = "kafka"
    start_seconds = 60.0
    stop_seconds = 15.0

    def __init__(self, folder: Path, port: int, controller_port: int) -> None:
        self.folder = folder
        self.port = port
        self.controller_port = controller_port
        self.log = folder / "kafka.log"
        self._java: Path | None = None
        self._jars: Path | None = None

    async def prepare(self) -> None:
        """Find Java and the jars, write the settings, and format the storage the first time.

        Raises ConfigurationError or UnavailableError, which say what is missing.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._java = self._java or find_java()
        self._jars = self._jars or await kafka_jars()
        (self.folder / "server.properties").write_text(_properties(self._settings()))
        (self.folder / "log4j2.properties").write_text(LOGGING)
        if not (self.folder / "logs" / "meta.properties").exists():
            await self._format()

    def command(self) -> list[str]:
        """Return the JVM's command line; `prepare` must have run."""
        return self._run("kafka.Kafka", str(self.folder / "server.properties"))

    def environment(self) -> Mapping[str, str]:
        """Return no variables: the JVM takes all it needs from its command line."""
        return {}

    async def ready(self) -> bool:
        """Tell whether the broker answers metadata requests."""
        return await broker.answers(self.port)

    async def _format(self) -> None:
        cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        settings = str(self.folder / "server.properties")
        command = self._run(
            "kafka.tools.StorageTool",
            "format",
            "-t",
            f"c{cluster[1:]}",
            "-c",
            settings,
            "--ignore-formatted",
        )
        await run("formatting Kafka's storage", command, self.log, FORMAT_SECONDS)

    def _run(self, main: str, *arguments: str) -> list[str]:
        return [
            str(self._java),
            *JVM,
            f"-Dlog4j2.configurationFile={self.folder / 'log4j2.properties'}",
            "-cp",
            f"{self._jars}{os.sep}*",
            main,
            *arguments,
        ]

    def _settings(self) -> dict[str, object]:
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@127.0.0.1:{self.controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": (self.folder / "logs").resolve(),
            **FIXED,
        }


FIXED: dict[str, object] = {
    "auto.create.topics.enable": "false",
    "broker.session.timeout.ms": 1500,
    "broker.heartbeat.interval.ms": 250,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "offsets.retention.minutes": 365 * 24 * 60,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 4,
    "offsets.topic.segment.bytes": 16 * MEBIBYTE,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.num.partitions": 4,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.segment.bytes": 16 * MEBIBYTE,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "message.max.bytes": 8 * MEBIBYTE,
    "replica.fetch.max.bytes": 8 * MEBIBYTE,
    "log.segment.bytes": 64 * MEBIBYTE,
    "log.index.size.max.bytes": 2 * MEBIBYTE,
    "log.retention.hours": 168,
    "log.cleaner.threads": 1,
    "log.cleaner.dedupe.buffer.size": 8 * MEBIBYTE,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "num.recovery.threads.per.data.dir": 2,
}


def _properties(settings: Mapping[str, object]) -> str:
    """Render a Java properties file; backslashes are its escape character."""
    return "".join(f"{key}={str(value).replace(chr(92), chr(92) * 2)}\n" for key, value in settings.items())
