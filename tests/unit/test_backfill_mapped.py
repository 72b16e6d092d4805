"""CSV in the dialects people have, and JSON Lines of any objects, read by a mapping."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest

from pipeline.backfill import import_id_of
from pipeline.backfill_csv import read_csv
from pipeline.backfill_json import SAMPLE_LINES, read_json_lines
from pipeline.backfill_readers import Line, read
from pipeline.errors import UsageError
from pipeline.tables.loading import LoadedMapping, load_mapping, parse_mapping
from pipeline.tables.rows import SKIPPED
from tests.unit.test_tables import RETAIL

FIELDS = """[fields]
customer_id = "Kunde"
occurred_at = { column = "Am", format = "%d.%m.%Y", zone = "Europe/Berlin" }
channel = { constant = "web" }
touchpoint = { constant = "purchase" }
value = "Betrag"
staff_id = "Wer"
"""


def mapping(file: str = "", more: str = "") -> LoadedMapping:
    return parse_mapping(f"[file]\n{file}\n{FIELDS}{more}", "m.toml")


def rows(content: bytes, spec: LoadedMapping) -> list[Line]:
    return list(read_csv(io.BytesIO(content), spec))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
def test_a_german_spreadsheet(encoding: str) -> None:
    text = "Kunde;Am;Betrag;Wer;Notiz\r\n1;01.07.2026;1.234,50;'Jürgen; der ''Chef''';egal\r\n"
    spec = mapping(f'delimiter = ";"\nquote = "\'"\ndecimal = ","\nthousands = "."\nencoding = "{encoding}"')
    (line,) = rows(text.encode(encoding), spec)
    assert line.event == {
        "customer_id": "1",
        "occurred_at": "2026-06-30T22:00:00.000+00:00",
        "channel": "web",
        "touchpoint": "purchase",
        "value": 1234.5,
        "staff_id": "Jürgen; der 'Chef'",
    }


def test_tabs_and_no_quotes(tmp_path: Path) -> None:
    content = b'Kunde\tAm\tBetrag\tWer\n1\t01.07.2026\t5\tthe "boss\n'
    (line,) = rows(content, mapping('delimiter = "\\t"\nquote = ""'))
    assert line.event["staff_id"] == 'the "boss'
    file = tmp_path / "a.tsv.gz"
    file.write_bytes(gzip.compress(content.replace(b'"', b"")))
    with file.open("rb") as raw:
        (line,) = read(file, raw, mapping())
    assert line.event["staff_id"] == "the boss"


def test_bytes_that_the_encoding_lacks_refuse_their_row() -> None:
    content = b"Kunde,Am,Betrag,Wer\n1,01.07.2026,5,\x81\n1,01.07.2026,5,\x80\n1,01.07.2026\n"
    first, second, third = rows(content, mapping('encoding = "cp1252"'))
    assert first.problem is not None
    assert (first.problem.code, first.problem.message) == ("not_decodable", "not cp1252 at byte 15 of the line")
    assert second.event["staff_id"] == "€"
    assert third.problem is not None
    assert third.problem.code == "ragged"


def test_the_mark_of_utf8_in_a_file_said_to_be_something_else() -> None:
    with pytest.raises(UsageError, match="say encoding = utf-8"):
        rows("\ufeffKunde,Am,Betrag,Wer\n".encode(), mapping('encoding = "latin-1"'))


def test_the_retail_file_line_by_line() -> None:
    content = (
        b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
        b"536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom\n"
        b'536381,22139,"RETRO, \xa3 SIGN",1,12/1/2010 9:41,4.25,15311,United Kingdom\n'
        b"536414,22139,,56,12/1/2010 11:52,0,,United Kingdom\n"
        b"C536379,D,Discount,-1,12/1/2010 9:41,27.5,14527,United Kingdom\n"
        b"C536391,22556,PLASTERS IN TIN CIRCUS PARADE ,-12,12/1/2010 10:24,1.65,17548,United Kingdom\n"
        b"536392,22150,BELL,3,12/32/2010 10:29,1.95,13705,United Kingdom\n"
    )
    lines = rows(content, load_mapping(RETAIL))
    kinds = [(line.number, line.event["touchpoint"]) for line in lines if isinstance(line.event, dict)]
    assert kinds == [(2, "purchase"), (3, "purchase"), (6, "return_received")]
    assert lines[1].event["attributes"]["description"] == "RETRO, £ SIGN"
    assert lines[4].event["value"] == -19.8
    assert [line.number for line in lines if line.event is SKIPPED] == [4, 5]
    assert lines[5].problem is not None
    assert (lines[5].number, lines[5].problem.code, lines[5].problem.path) == (7, "time_format", "occurred_at")


def objects(*values: object, spec: LoadedMapping) -> list[Line]:
    content = "".join(json.dumps(value) + "\n" for value in values).encode()
    return list(read_json_lines(io.BytesIO(content), spec))


def test_objects_of_any_keys() -> None:
    spec = mapping('optional = ["Rabatt"]', 'reference = "order.id"\nwait_ms = "Rabatt"')
    given = {"Kunde": 17, "Am": "01.07.2026", "Betrag": 5.5, "Wer": None, "order": {"id": "o-1"}}
    lines = objects(*[given] * SAMPLE_LINES, {**given, "Rabatt": 3}, [1], {**given, "Am": "?"}, spec=spec)
    assert lines[0].event["customer_id"] == "17"
    assert (lines[0].event["value"], lines[0].event["reference"]) == (5.5, "o-1")
    assert "wait_ms" not in lines[0].event
    assert lines[SAMPLE_LINES].event["wait_ms"] == 3
    no_object, no_time = lines[SAMPLE_LINES + 1 :]
    assert no_object.problem is not None
    assert (no_object.problem.code, no_object.original) == ("type", b"[1]")
    assert no_time.problem is not None
    assert (no_time.problem.code, no_time.number) == ("time_format", SAMPLE_LINES + 3)
    assert json.loads(no_time.original or b"") == {**given, "Am": "?"}


def test_a_key_that_no_object_has_is_named_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match=r"fields.staff_id.column: the file has no column 'Wer'"):
        objects({"Kunde": 17, "Am": "01.07.2026", "Betrag": 5.5}, spec=mapping())
    with pytest.raises(UsageError, match="how CSV is written, and this is JSON Lines"):
        objects({}, spec=mapping('quote = ""'))


def test_with_another_mapping_it_is_another_import() -> None:
    ids = {import_id_of(io.BytesIO(b"a"), each) for each in (None, mapping(), mapping('delimiter = ";"'))}
    assert len(ids) == 3
    assert import_id_of(io.BytesIO(b"a"), mapping()) in ids
