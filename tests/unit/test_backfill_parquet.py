"""Parquet files of every type a touchpoint may come in, and those that are refused as a whole."""

from __future__ import annotations

import subprocess
import sys
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.backfill_parquet import BATCH_ROWS
from pipeline.backfill_readers import Line, source_of
from pipeline.errors import UsageError
from pipeline.tables.loading import LoadedMapping, parse_mapping

AT = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
GOOD: dict[str, Any] = {"customer_id": ["c"], "occurred_at": [AT], "channel": ["web"], "touchpoint": ["page_view"]}
FIELDS = """[fields]
customer_id = "customer_id"
channel = { constant = "web" }
touchpoint = { constant = "page_view" }
"""


def written(tmp_path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", **options)
    return tmp_path / "a.parquet"


def rows(file: Path, mapping: LoadedMapping | None = None) -> list[Line]:
    with file.open("rb") as raw:
        return list(source_of(file, raw, mapping).lines)


def test_columns_in_the_names_of_the_fields(tmp_path: Path) -> None:
    columns = {
        "customer_id": pa.array(["a", "b"]).dictionary_encode(),
        "occurred_at": pa.array([AT, AT], pa.timestamp("ns", "Europe/Berlin")),
        "channel": ["web", "web"],
        "touchpoint": ["purchase", None],
        "value": pa.array([Decimal("19.90"), None], pa.decimal128(10, 2)),
        "duration_ms": [1200.0, float("nan")],
        "reference": [536365, None],
        "attributes": pa.array([[("page", "/a")], None], pa.map_(pa.string(), pa.string())),
        "attributes.day": [date(2026, 3, 1), None],
    }
    first, second = rows(written(tmp_path, columns))
    assert first == Line(
        1,
        {
            "customer_id": "a",
            "occurred_at": "2026-03-01T12:00:00.250+00:00",
            "channel": "web",
            "touchpoint": "purchase",
            "value": 19.9,
            "duration_ms": 1200,
            "reference": "536365",
            "attributes": {"page": "/a", "day": "2026-03-01"},
        },
        None,
        None,
    )
    assert second.event == {
        "customer_id": "b",
        "occurred_at": "2026-03-01T12:00:00.250+00:00",
        "channel": "web",
    }


def test_uuids_are_ids(tmp_path: Path) -> None:
    event_id = uuid.UUID(int=7)
    (line,) = rows(written(tmp_path, {**GOOD, "event_id": pa.array([event_id.bytes], pa.uuid())}))
    assert line.event["event_id"] == str(event_id)


def test_a_mapping_gives_naive_times_their_zone_and_reads_structs(tmp_path: Path) -> None:
    naive = pa.array([datetime(2026, 7, 1, 12), datetime(2026, 10, 25, 2, 30)], pa.timestamp("us"))  # noqa: DTZ001
    place = pa.array([{"town": "Ulm", "no": 7}] * 2)
    file = written(tmp_path, {"customer_id": ["a", "b"], "at": naive, "place": place, "more": [b"x", b"y"]})
    text = (
        'occurred_at = { column = "at", zone = "Europe/Berlin" }\nreference = "place.town"\n[attributes]\nat = "place"'
    )
    good, ambiguous = rows(file, parse_mapping(FIELDS + text, "m.toml"))
    assert good.event["occurred_at"] == "2026-07-01T10:00:00.000+00:00"
    assert (good.event["reference"], good.event["attributes"]) == ("Ulm", {"at.town": "Ulm", "at.no": "7"})
    assert ambiguous.problem is not None
    assert (ambiguous.number, ambiguous.problem.code) == (2, "time_ambiguous")
    assert ambiguous.original is not None
    assert b'"customer_id":"b"' in ambiguous.original


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"occurred_at": pa.array([0], pa.timestamp("ms"))}, "holds times without a zone"),
        ({"occurred_at": [date(2026, 3, 1)]}, "holds times without a zone"),
        ({"occurred_at": [1_772_366_400]}, "holds numbers: say in a mapping"),
        ({"customer_id": [b"a"]}, "column 'customer_id' holds binary"),
        ({"customer_id": [["a"]]}, "column 'customer_id' holds list"),
        ({"colour": ["red"]}, "column 'colour' is not a field of a touchpoint"),
        ({"channel": None}, "fields.channel is missing"),
    ],
)
def test_columns_that_no_touchpoint_has(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    columns = {name: column for name, column in {**GOOD, **change}.items() if column is not None}
    with pytest.raises(UsageError) as caught:
        rows(written(tmp_path, columns))
    assert words in str(caught.value)


def test_a_file_that_is_not_parquet(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    for content in (b"", b"customer_id\n", b"PAR1" * 100):
        file.write_bytes(content)
        with pytest.raises(UsageError, match="is not Parquet, or it is damaged") as caught:
            rows(file)
        assert "\n" not in str(caught.value)
    whole = written(tmp_path, {**GOOD, "customer_id": ["c" * 1000]}, compression="zstd").read_bytes()
    file.write_bytes(whole[:60] + b"\x00" * 60 + whole[120:])
    with pytest.raises(UsageError, match="is not Parquet, or it is damaged"):
        rows(file)


def test_a_dialect_of_csv_does_not_go_with_parquet(tmp_path: Path) -> None:
    mapping = parse_mapping('[file]\ndelimiter = ";"\n' + FIELDS + 'occurred_at = "occurred_at"', "m.toml")
    with pytest.raises(UsageError, match=r"file.delimiter says how CSV is written"):
        rows(written(tmp_path, GOOD), mapping)


def test_cells_that_python_cannot_hold_spoil_only_their_rows(tmp_path: Path) -> None:
    bad = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"\xffc")]
    )
    times = pa.array([2**60, 1_772_366_400_000], pa.timestamp("ms", "UTC"))
    file = written(tmp_path, {name: column * 2 for name, column in GOOD.items()} | {"reference": bad})
    first, second = rows(file)
    assert (first.event["reference"], second.event["reference"]) == ("\udcff", "c")
    file = written(tmp_path, {name: column * 2 for name, column in GOOD.items()} | {"occurred_at": times})
    first, second = rows(file)
    assert first.event["occurred_at"].startswith("out of range")
    assert second.event["occurred_at"] == "2026-03-01T12:00:00.000+00:00"


def test_memory_is_bounded_whatever_the_row_groups(tmp_path: Path) -> None:
    count = 60 * BATCH_ROWS
    columns = {name: column * count for name, column in GOOD.items()}
    columns["attributes.page"] = [f"{number:0200d}" for number in range(count)]
    file = written(tmp_path, columns, row_group_size=count, use_dictionary=False, compression="none")
    before = pa.total_allocated_bytes()
    del columns
    with file.open("rb") as raw:
        source = source_of(file, raw)
        size, highest, told = file.stat().st_size, 0, [0]
        for seen, line in enumerate(source.lines, 1):
            assert line.number == seen
            if seen % BATCH_ROWS == 1:
                highest = max(highest, pa.total_allocated_bytes() - before)
                told.append(source.position())
    assert seen == count
    assert told == sorted(told)
    assert source.position() == size
    assert size > 20_000_000
    assert highest < size / 4


def test_without_pyarrow_it_says_what_to_install(tmp_path: Path) -> None:
    file = written(tmp_path, GOOD)
    code = (
        "import sys; sys.modules['pyarrow'] = None; from pathlib import Path\n"
        "from pipeline.backfill_readers import source_of; from pipeline.errors import ConfigurationError\n"
        f"file = Path({str(file)!r})\n"
        "try: source_of(file, file.open('rb'))\n"
        "except ConfigurationError as error: print(error)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout == "Parquet needs pyarrow: pip install 'touchline[parquet]'\n"
