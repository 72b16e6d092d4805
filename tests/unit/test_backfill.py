"""Reading and sorting backfill files, and what a whole import publishes; Kafka itself is not asked."""

from __future__ import annotations

import gzip
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest

from pipeline.backfill import BackfillResult, Import, import_id_of
from pipeline.backfill_csv import read_csv
from pipeline.backfill_json import read_json_lines
from pipeline.backfill_readers import Line, read, reader_of
from pipeline.backfill_sort import Entry, Sorter
from pipeline.errors import UsageError
from pipeline.lanes import Message
from schemas.codec import Decoder

NOW = 1_772_366_400_000
GOOD: dict[str, Any] = {
    "customer_id": "c-1",
    "occurred_at": "2026-03-01T12:00:00Z",
    "channel": "web",
    "touchpoint": "page_view",
}
HEADER = b"customer_id,occurred_at,channel,touchpoint,value,duration_ms,attributes.page\n"
ROW = b"c-1,2026-03-01T12:00:00Z,web,page_view,1.5,1200.0,/a\n"


class Log:
    """A publisher that keeps what it is given."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Message]] = {"touchpoints": [], "rejected": []}

    async def publish(self, topic: str, messages: list[Message]) -> None:
        self.topics[topic].extend(messages)

    def read(self, topic: str) -> list[dict[str, Any]]:
        decode = Decoder(topic)
        return [decode(value) for _, value in self.topics[topic]]


async def run(file: Path, run_bytes: int = 10**6, now: int = NOW) -> tuple[BackfillResult, Log]:
    log = Log()
    with file.open("rb") as raw, Sorter(run_bytes) as sorter:
        work = Import(log, sorter, import_id_of(raw), now)
        size = raw.tell()
        raw.seek(0)
        told: list[tuple[int, int]] = []
        await work.read(read(file, raw), raw.tell, size, lambda done, total: told.append((done, total)))
        await work.send(size, lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (2 * size, 2 * size)
    return work.result(), log


def written(file: Path, *events: Any) -> Path:
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return file


async def test_sends_in_time_order_whatever_the_files(tmp_path: Path) -> None:
    events = [
        {**GOOD, "occurred_at": f"2026-03-01T{hour:02}:{minute:02}:00Z"} for hour in range(12) for minute in range(60)
    ]
    random.Random(1).shuffle(events)
    file = written(tmp_path / "a.jsonl", *events)
    for run_bytes in (10**9, 20_000):
        result, log = await run(file, run_bytes)
        times = [record["occurred_at"] for record in log.read("touchpoints")]
        assert (result.lines, result.accepted, result.rejected) == (720, 720, 0)
        assert times == sorted(times)


async def test_the_same_lines_have_the_same_ids_in_any_order(tmp_path: Path) -> None:
    events = [GOOD, {**GOOD, "value": 3}, GOOD, {**GOOD, "event_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}, GOOD]
    _, first = await run(written(tmp_path / "a.jsonl", *events))
    turned = [dict(reversed(event.items())) for event in reversed(events)]
    _, second = await run(written(tmp_path / "b.jsonl", *turned))
    ids = [record["event_id"] for record in first.read("touchpoints")]
    assert len(set(ids)) == 5
    assert set(ids) == {record["event_id"] for record in second.read("touchpoints")}


async def test_table_and_lines_have_the_same_ids(tmp_path: Path) -> None:
    table = tmp_path / "a.csv"
    table.write_bytes(HEADER + ROW)
    event = {**GOOD, "value": 1.5, "duration_ms": 1200, "attributes": {"page": "/a"}}
    _, first = await run(table)
    _, second = await run(written(tmp_path / "a.jsonl", event))
    assert first.read("touchpoints")[0]["event_id"] == second.read("touchpoints")[0]["event_id"]


async def test_the_same_file_has_the_same_import_id(tmp_path: Path) -> None:
    first, log = await run(written(tmp_path / "a.jsonl", GOOD))
    again, _ = await run(written(tmp_path / "b.jsonl", GOOD))
    other, _ = await run(written(tmp_path / "c.jsonl", GOOD, GOOD))
    assert first.import_id == again.import_id != other.import_id
    (record,) = log.read("touchpoints")
    assert (record["import_id"], record["source"], record["received_at"]) == (first.import_id, "backfill", NOW)


async def test_bad_lines_are_kept_with_their_numbers(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    bad = {**GOOD, "channel": "wbe"}
    file.write_bytes(
        b"\xef\xbb\xbf"
        + json.dumps(GOOD).encode()
        + b"\n\n{oops\n"
        + json.dumps(bad).encode()
        + b'\n"\xff"\n'
        + b'{"a":"'
        + b"x" * 200_000
        + b'"}\n'
        + json.dumps(GOOD).encode()
    )
    result, log = await run(file)
    assert (result.lines, result.accepted, result.rejected) == (6, 2, 4)
    assert [(each.line, each.code) for each in result.errors] == [
        (3, "not_json"),
        (4, "unknown_channel"),
        (5, "not_utf8"),
        (6, "too_large"),
    ]
    letters = log.read("rejected")
    assert [letter["line"] for letter in letters] == [3, 4, 5, 6]
    assert (letters[0]["original"], letters[0]["import_id"]) == (b"{oops", result.import_id)
    _, again = await run(file)
    assert [each["dead_letter_id"] for each in again.read("rejected")] == [each["dead_letter_id"] for each in letters]


async def test_a_refused_line_has_the_id_that_it_would_have_had(tmp_path: Path) -> None:
    late = {**GOOD, "occurred_at": "2026-03-02T18:00:00Z"}
    file = written(tmp_path / "a.jsonl", late, dict(reversed(late.items())), {**late, "event_id": "no-uuid"}, [7])
    _, log = await run(file)
    ids = [letter["event_id"] for letter in log.read("rejected")]
    _, later = await run(file, now=NOW + 30 * 3_600_000)
    accepted = {record["event_id"] for record in later.read("touchpoints")}
    assert len(accepted) == 2
    assert ids[0] == ids[1] in accepted, "identical lines have one fingerprint"
    assert ids[2:] == ["no-uuid", None]


async def test_errors_are_listed_up_to_a_thousand(tmp_path: Path) -> None:
    result, log = await run(written(tmp_path / "a.jsonl", *[{"a": 1}] * 1001))
    assert (len(result.errors), result.rejected, len(log.topics["rejected"])) == (1000, 1001, 1001)


def rows(*lines: bytes, header: bytes = HEADER) -> list[Line]:
    return list(read_csv(io.BytesIO(header + b"".join(lines))))


def test_cells_become_fields() -> None:
    (line,) = rows(ROW)
    assert (line.number, line.problem) == (2, None)
    assert line.event == {**GOOD, "value": 1.5, "duration_ms": 1200, "attributes": {"page": "/a"}}


def test_empty_cells_are_absent() -> None:
    (line,) = rows(b"c-1,2026-03-01T12:00:00Z,web,page_view,,,\r\n", header=b"\xef\xbb\xbf" + HEADER)
    assert line.event == GOOD


def test_quotes_commas_and_line_ends_in_cells() -> None:
    quoted = b'"c ""1""",2026-03-01T12:00:00Z,web,page_view,,,"a,\nb"\n'
    first, second = rows(quoted, ROW)
    assert first.event["customer_id"] == 'c "1"'
    assert first.event["attributes"] == {"page": "a,\nb"}
    assert second.number == 4


def test_cells_that_are_no_numbers_are_left_for_validation() -> None:
    (line,) = rows(b"c-1,t,web,page_view,much,1.5,\n")
    assert (line.event["value"], line.event["duration_ms"]) == ("much", "1.5")


def test_bad_rows_are_refused_by_themselves() -> None:
    lines = rows(
        b"a,b\n",
        ROW,
        b'c-1,"open,web,page_view,,,\n',
        ROW,
        b"c,\xff,web,page_view,,,\n",
        b'"x"y,a,b,c,d,e,f\n',
        ROW,
        b"\n",
    )
    assert [(line.number, line.problem and line.problem.code) for line in lines] == [
        (2, "ragged"),
        (3, None),
        (4, "not_csv"),
        (5, None),
        (6, "not_utf8"),
        (7, "not_csv"),
        (8, None),
    ]


@pytest.mark.parametrize(
    "header", [b"", b"customer_id;channel\n", b"colour\n", b"channel,channel\n", b"attributes.\n", b"\xff\n"]
)
def test_a_header_that_cannot_be_one(header: bytes) -> None:
    with pytest.raises(UsageError):
        rows(header=header)


def test_gzip_and_names(tmp_path: Path) -> None:
    file = tmp_path / "a.json.gz"
    file.write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    with file.open("rb") as raw:
        assert [line.event for line in read(file, raw)] == [GOOD]
    file.write_bytes(gzip.compress(json.dumps(GOOD).encode())[:-9])
    with file.open("rb") as raw, pytest.raises(UsageError, match="damaged"):
        list(read(file, raw))
    for name in ("a.xlsx", "a", "a.gz", "a.parquet.gz"):
        with pytest.raises(UsageError, match="must end in"):
            reader_of(Path(name))


def test_one_array_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="jq"):
        list(read_json_lines(io.BytesIO(b"[{}]")))


def test_runs_on_disk_merge_into_one_order() -> None:
    chance = random.Random(5)
    entries = [Entry(chance.randrange(100), chance.randbytes(2), line, b"k", b"v" * 50) for line in range(5000)]
    with Sorter(run_bytes=50_000) as sorter:
        for entry in entries:
            sorter.add(entry)
        assert list(sorter) == sorted(entries)
