"""`touchline backfill` on the files people have: mapped tables, Parquet, refused lines beside the file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from tests.command import Answer, touchline
from tests.unit.test_tables import RETAIL

RETAIL_FILE = (
    b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    b"536365,85123A,T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
    b"536365,71053,\xa3 LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom\n"
    b"536365,71053,\xa3 LANTERN,6,12/1/2010 8:26,3.39,17850,United Kingdom\n"
    b"536414,22139,,56,12/1/2010 11:52,0,,United Kingdom\n"
    b"C536379,71053,\xa3 LANTERN,-6,12/2/2010 9:41,3.39,17850,United Kingdom\n"
    b"536392,22150,BELL,3,13/32/2010 10:29,1.95,13705,United Kingdom\n"
)


@pytest.fixture(scope="module")
async def data(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    folder = tmp_path_factory.mktemp("stack")
    async with Installation(Settings(collector_port=0, collector_private_port=0), folder):
        yield folder


async def rows(data: Path, query: str) -> list[list[object]]:
    answer = await touchline("sql", query, "--format", "JSONCompactEachRow", "--data", str(data))
    assert answer.status == 0, answer.errors
    return [json.loads(line) for line in answer.output.splitlines()]


async def backfill(data: Path, *words: str) -> Answer:
    return await touchline("backfill", *words, "--data", str(data), "--json")


async def test_a_shops_invoices(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "retail.csv"
    file.write_bytes(RETAIL_FILE)
    for landed in (4, 0):
        answer = await backfill(data, str(file), "--mapping", str(RETAIL))
        assert answer.status == 1, answer.errors
        facts = answer.json()
        numbers = [facts[name] for name in ("lines", "accepted", "rejected", "skipped", "landed", "duplicates")]
        assert numbers == [6, 4, 1, 1, landed, 4 - landed]
        assert facts["errors_file"] == f"{file}.errors.jsonl"
    (refused,) = map(json.loads, file.with_name("retail.csv.errors.jsonl").read_text().splitlines())
    assert (refused["line"], refused["code"], refused["path"]) == (7, "time_format", "occurred_at")
    assert json.loads(refused["original"])["Description"] == "BELL"
    found = await rows(
        data,
        "SELECT toString(occurred_at), touchpoint, value, attributes['description'] FROM touchpoints "
        "WHERE customer_id = '17850' ORDER BY occurred_at, value",
    )
    assert found == [
        ["2010-12-01 08:26:00.000", "purchase", 15.3, "T-LIGHT HOLDER"],
        ["2010-12-01 08:26:00.000", "purchase", 20.34, "£ LANTERN"],
        ["2010-12-01 08:26:00.000", "purchase", 20.34, "£ LANTERN"],
        ["2010-12-02 09:41:00.000", "return_received", -20.34, "£ LANTERN"],
    ]


async def test_parquet_and_errors_elsewhere(data: Path, tmp_path: Path) -> None:
    file, errors = tmp_path / "calls.parquet", tmp_path / "refused.jsonl"
    columns = {
        "customer_id": ["p-1", "p-2"],
        "occurred_at": pa.array([datetime(2026, 3, 1, 12, tzinfo=UTC)] * 2, pa.timestamp("ns", "America/New_York")),
        "channel": ["phone", "phon"],
        "touchpoint": ["inbound_call", "inbound_call"],
        "wait_ms": [1500, None],
        "attributes.queue": pa.array(["sales", "help"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), file)
    answer = await backfill(data, str(file), "--errors", str(errors))
    assert answer.status == 1, answer.errors
    assert (answer.json()["accepted"], answer.json()["landed"]) == (1, 1)
    assert [json.loads(line)["code"] for line in errors.read_text().splitlines()] == ["unknown_channel"]
    found = await rows(
        data, "SELECT toString(occurred_at), wait_ms, attributes['queue'] FROM touchpoints WHERE customer_id = 'p-1'"
    )
    assert found == [["2026-03-01 12:00:00.000", 1500, "sales"]]
    pq.write_table(pa.table({name: column[:1] for name, column in columns.items()}), file)
    answer = await backfill(data, str(file), "--errors", str(errors))
    assert (answer.status, errors.exists(), answer.json()["errors_file"]) == (0, False, None)


async def test_what_is_wrong_as_a_whole_is_one_line(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(RETAIL_FILE.replace(b"UnitPrice", b"Price", 1))
    answer = await backfill(data, str(file), "--mapping", str(RETAIL))
    assert answer.status == 2
    assert answer.errors == (
        "touchline: mapping online_retail.toml: fields.value.column: the file has no column 'UnitPrice': "
        "did you mean 'Price'? (or list it in file.optional)\n"
    )
    (tmp_path / "b.parquet").write_bytes(b"a,b\n")
    for words in (("b.parquet",), ("a.csv", "--errors", "a.csv"), ("a.csv", "--mapping", "none.toml")):
        answer = await backfill(data, *(str(tmp_path / word) if "." in word else word for word in words))
        assert (answer.status, answer.errors.count("\n"), answer.output) == (2, 1, "")
