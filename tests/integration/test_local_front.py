"""The HTTP front of the local engine: what a client of ClickHouse may rely on, and what it refuses."""

from __future__ import annotations

import asyncio
import io
import json
import os
import time
from base64 import b64encode
from typing import Any

import fastavro
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from tests.integration.front_client import ask, client
from tests.integration.sinks_server import Server

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


async def test_avro_block_arrives_whole(engine: Server) -> None:
    with client(engine) as clickhouse:
        clickhouse.command(
            "CREATE TABLE avro (id Int64, text String, score Nullable(Float64)) ENGINE = MergeTree ORDER BY id"
        )
        summary = clickhouse.raw_insert("avro", insert_block=avro_block(ROWS), fmt="Avro")
        assert int(summary.written_rows) == ROWS
        counted = "SELECT count(), sum(id), countIf(text = '\n\n'), countIf(score IS NULL) FROM avro"
        third = len([i for i in range(ROWS) if i % 6 == 0])
        assert clickhouse.query(counted).result_rows == [(ROWS, sum(range(ROWS)), third, ROWS // 2)]


@pytest.mark.parametrize("encoding", ["lz4", "gzip", "zstd"])
async def test_compressed_inserts(engine: Server, encoding: str) -> None:
    with client(engine, compress=encoding) as clickhouse:
        clickhouse.command("CREATE OR REPLACE TABLE packed (id UInt32, t String) ENGINE = MergeTree ORDER BY id")
        summary = clickhouse.insert("packed", [[i, f"\n\n{i}"] for i in range(1000)], column_names=["id", "t"])
        assert int(summary.written_rows) == 1000
        assert clickhouse.query("SELECT count(), uniqExact(t) FROM packed").result_rows == [(1000, 1000)]


async def test_large_binary_body(engine: Server) -> None:
    blob = os.urandom(64 * 1024 * 1024)
    with client(engine) as clickhouse:
        clickhouse.command("CREATE TABLE large (b FixedString(256)) ENGINE = MergeTree ORDER BY tuple()")
        clickhouse.raw_insert("large", insert_block=blob, fmt="RowBinary")
        stored = clickhouse.raw_query("SELECT b FROM large", fmt="RowBinary")
    assert sorted(stored[i : i + 256] for i in range(0, len(blob), 256)) == sorted(
        blob[i : i + 256] for i in range(0, len(blob), 256)
    )


async def test_parameters_are_bound_by_the_engine(engine: Server) -> None:
    nasty = "q'u\"o\\te\n\t; DROP"
    with client(engine) as clickhouse:
        found = clickhouse.query(
            "SELECT {a:String}, {b:Array(Int32)}, {c:Nullable(String)}, {d:DateTime64(3)}",
            parameters={"a": nasty, "b": [1, 2], "c": None, "d": "2024-01-02 03:04:05.678"},
        ).first_row
    assert found[:3] == (nasty, [1, 2], None)
    assert str(found[3]).startswith("2024-01-02 03:04:05.678")


async def test_long_parameters_come_as_a_form(engine: Server) -> None:
    with client(engine) as clickhouse:
        assert clickhouse.query("SELECT length({a:String})", parameters={"a": "x" * 50_000}).first_row == (50_000,)


async def test_settings_hold_for_one_request_only(engine: Server) -> None:
    with client(engine) as clickhouse:
        query = "SELECT getSetting('max_threads')"
        default = clickhouse.query(query).first_row
        assert clickhouse.query(query, settings={"max_threads": 7}).first_row == (7,)
        assert clickhouse.query(query).first_row == default


@pytest.mark.parametrize("readonly", ["1", "2"])
async def test_readonly_is_honoured(engine: Server, readonly: str) -> None:
    path = f"/?readonly={readonly}&max_threads=1"
    assert ask(engine, path, b"SELECT 1")[0] == 200
    ask(engine, "/", b"CREATE TABLE IF NOT EXISTS unread (a Int8) ENGINE = MergeTree ORDER BY a")
    status, headers, body = ask(engine, path, b"CREATE TABLE nope (a Int8) ENGINE = Memory")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (403, "164")
    assert b"readonly" in body
    status, _, _ = ask(engine, path, b"INSERT INTO unread FORMAT CSV\n1")
    assert status == 403
    assert ask(engine, "/", b"SELECT count() FROM unread")[2] == b"0\n"


async def test_get_only_reads(engine: Server) -> None:
    assert ask(engine, "/?query=SELECT%201")[2] == b"1\n"
    assert ask(engine, "/?query=CREATE%20DATABASE%20nope")[0] == 403
    assert ask(engine, "/")[2] == b"Ok.\n"


async def test_errors_are_the_engines_own(engine: Server) -> None:
    with client(engine) as clickhouse, pytest.raises(DatabaseError, match="UNKNOWN_TABLE") as caught:
        clickhouse.query("SELECT * FROM no_such_table")
    assert caught.value.code == 60
    status, headers, body = ask(engine, "/", b"SELEC 1")
    assert (status, headers["X-ClickHouse-Exception-Code"]) == (400, "62")
    assert body.startswith(b"Code: 62. DB::Exception: ")


async def test_a_refused_block_leaves_no_row(engine: Server) -> None:
    with client(engine) as clickhouse:
        clickhouse.command(
            "CREATE TABLE aligned (a Int64 EPHEMERAL, b Int64 EPHEMERAL, "
            "o Int64 DEFAULT a + throwIf(a != b, 'misaligned')) ENGINE = MergeTree ORDER BY o"
        )
        with pytest.raises(DatabaseError, match="misaligned"):
            clickhouse.raw_insert("aligned", ["a", "b"], b"1,1\n2,3\n4,4\n", fmt="CSV")
        assert clickhouse.command("SELECT count() FROM aligned") == 0
        clickhouse.raw_insert("aligned", ["a", "b"], b"1,1\n4,4\n", fmt="CSV")
        assert clickhouse.command("SELECT sum(o) FROM aligned") == 5


async def test_an_insert_that_fails_behind_the_parser_is_no_success(engine: Server) -> None:
    with client(engine) as clickhouse:
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
async def test_every_form_of_insert(engine: Server, statement: bytes) -> None:
    ask(
        engine,
        "/",
        b"CREATE OR REPLACE TABLE forms (n Int8, t String) ENGINE = MergeTree ORDER BY n",
    )
    status, headers, body = ask(engine, "/?param_table=forms", statement)
    assert (status, body) == (200, b"")
    assert json.loads(headers["X-ClickHouse-Summary"])["written_rows"] == "2"
    assert ask(engine, "/", b"SELECT sum(n) FROM forms")[2] == b"3\n"


async def test_the_same_token_inserts_once(engine: Server) -> None:
    with client(engine) as clickhouse:
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
async def test_what_the_front_does_not_run(engine: Server, sent: bytes) -> None:
    assert ask(engine, "/", sent)[0] in {400, 501}


async def test_odd_bytes_and_formats_are_errors_of_their_own(engine: Server) -> None:
    assert ask(engine, "/", b"SELECT hex('\xff\n')")[2] == b"FF0A\n"
    assert ask(engine, "/?default_format=DataFrame", b"SELECT 1")[0] == 404
    assert ask(engine, "/?no_such_setting=1", b"SELECT 1")[0] == 404
    assert ask(engine, "/", b"x", {"Content-Encoding": "gzip"})[0] == 500
    assert ask(engine, "/", b"x", {"Content-Encoding": "rot13"})[0] == 501


async def test_strangers_are_refused(engine: Server) -> None:
    port = engine.url.rsplit(":", 1)[1]
    wrong = b64encode(b"default:wrong").decode()
    assert ask(engine, "/", b"SELECT 1", {"Authorization": f"Basic {wrong}"})[0] == 403
    assert ask(engine, "/", b"SELECT 1", {"Authorization": ""})[0] == 403
    assert ask(engine, "/", b"SELECT 1", {"Origin": "https://example.com"})[0] == 403
    assert ask(engine, "/", b"SELECT 1", {"Host": f"example.com:{port}"})[0] == 403
    assert ask(engine, "/ping", None, {"Host": "127.0.0.1:1"})[0] == 403
    assert ask(engine, "/", b"SELECT 1", {"Host": f"localhost:{port}"})[0] == 200
    keys = {
        "Authorization": "",
        "X-ClickHouse-User": "default",
        "X-ClickHouse-Key": engine.password,
    }
    assert ask(engine, "/", b"SELECT 1", keys)[2] == b"1\n"
    url = f"/?user=default&password={engine.password}"
    assert ask(engine, url, b"SELECT 1", {"Authorization": ""})[2] == b"1\n"
    with pytest.raises(DatabaseError):
        client(engine, password="wrong")


async def test_summary_counts(engine: Server) -> None:
    _, headers, body = ask(engine, "/?default_format=JSON", b"SELECT number FROM numbers(10)")
    assert json.loads(headers["X-ClickHouse-Summary"])["read_rows"] == "10"
    assert headers["X-ClickHouse-Format"] == "JSON"
    assert json.loads(body)["rows"] == 10


async def test_queries_run_side_by_side(engine: Server) -> None:
    def slow() -> Any:
        return ask(engine, "/", b"SELECT sleep(1)")[0]

    began = time.monotonic()
    assert set(await asyncio.gather(*(asyncio.to_thread(slow) for _ in range(4)))) == {200}
    assert time.monotonic() - began < 3
