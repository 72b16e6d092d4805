"""Mappings of tables: what they make of rows, and what they say when they are wrong."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest

from pipeline.cli.backfill import HELP
from pipeline.errors import UsageError
from pipeline.model import FieldError, Rejected
from pipeline.tables.loading import LoadedMapping, load_mapping, parse_mapping
from pipeline.tables.rows import SKIPPED, Binding
from pipeline.validation import validate

RETAIL = Path(__file__).parents[2] / "deploy" / "mappings" / "online_retail.toml"
RETAIL_COLUMNS = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
]
NOW = 1_772_366_400_000
REST = """
customer_id = "id"
channel = { constant = "web" }
touchpoint = { constant = "page_view" }
"""
TIME = 'occurred_at = "at"\n'


def mapping(fields: str, more: str = "", before: str = "") -> LoadedMapping:
    return parse_mapping(f"{before}\n[fields]\n{fields}\n{more}", "m.toml")


def one(fields: str, cell: Any, more: str = "") -> dict[str, Any] | FieldError:
    """What becomes of a row whose column x holds the cell."""
    event = Binding(mapping(REST + fields, more), ["id", "at", "x", "y"])(["c", "2026-03-01T12:00:00Z", cell, "2"])
    assert isinstance(event, (dict, FieldError))
    return event


def value_of(fields: str, cell: Any, more: str = "") -> Any:
    event = one(TIME + fields, cell, more)
    assert isinstance(event, dict), event
    return event.get(fields.split(" ", 1)[0])


def refusal(fields: str, cell: Any, more: str = "") -> FieldError:
    error = one(fields, cell, more)
    assert isinstance(error, FieldError), error
    return error


def test_the_retail_layout() -> None:
    binding = Binding(load_mapping(RETAIL), RETAIL_COLUMNS)
    bought = binding(["536365", "85123A", "T-LIGHT ", "6", "12/1/2010 8:26", "2.55", "17850", "United Kingdom"])
    assert bought == {
        "customer_id": "17850",
        "occurred_at": "2010-12-01T08:26:00.000+00:00",
        "channel": "web",
        "touchpoint": "purchase",
        "value": 15.3,
        "currency": "GBP",
        "reference": "536365",
        "attributes": {
            "article": "85123A",
            "description": "T-LIGHT",
            "quantity": "6",
            "country": "United Kingdom",
        },
    }
    returned = binding(["C536379", "22556", "", "-12", "7/1/2011 9:41", "1.65", "17548", "France"])
    assert isinstance(returned, dict)
    assert (returned["channel"], returned["touchpoint"]) == ("delivery", "return_received")
    assert (returned["value"], returned["occurred_at"]) == (-19.8, "2011-07-01T08:41:00.000+00:00")
    assert not any(isinstance(validate(event, NOW, "test"), Rejected) for event in (bought, returned))
    lost = ["536545", "21134", "", "-1", "12/1/2010 14:32", "1.0", "17548", "UK"]
    written_off = binding(lost)
    assert isinstance(written_off, dict)
    assert written_off["touchpoint"] == "return_received"
    for column, cell in (("CustomerID", ""), ("StockCode", "POST"), ("UnitPrice", "0.00")):
        row = list(lost)
        row[RETAIL_COLUMNS.index(column)] = cell
        assert binding(row) is SKIPPED
    row = list(lost)
    row[RETAIL_COLUMNS.index("Quantity")] = "six"
    error = binding(row)
    assert isinstance(error, FieldError)
    assert (error.code, "'six' is no number" in error.message) == ("number", True)


@pytest.mark.parametrize(
    ("spec", "cell", "more", "expected"),
    [
        ('value = "x"', "1234.5", "", 1234.5),
        ('value = "x"', "1.234,5", '[file]\ndecimal = ","\nthousands = "."', 1234.5),
        ('value = "x"', "1 234,5", '[file]\ndecimal = ","\nthousands = " "', 1234.5),
        ('value = { column = "x", scale = 0.01 }', "1999", "", 19.99),
        ('value = { column = "x", times = "y" }', "1.05", "", 2.1),
        ('value = { column = "x", default = 7 }', " ", "", 7),
        ('value = "x"', float("nan"), "", None),
        ('duration_ms = { column = "x", scale = 1000 }', "1.2346", "", 1235),
        ('duration_ms = "x"', 1200.0, "", 1200),
        ('staff_id = "x"', 17850.0, "", "17850"),
        ('staff_id = "x"', True, "", "true"),
        ('staff_id = "x.name"', {"name": "ann"}, "", "ann"),
        ('sentiment = { column = "x", lookup = { good = 0.5, bad = -1 } }', " bad", "", -1),
        ('outcome = { column = "x", lookup = { done = "resolved" }, default = "unresolved" }', "?", "", "unresolved"),
    ],
)
def test_cells_become_values(spec: str, cell: Any, more: str, expected: Any) -> None:
    assert value_of(spec, cell, more) == expected


@pytest.mark.parametrize(
    ("time", "cell", "expected"),
    [
        ('{ column = "x", format = "unix_s" }', "1772366400.25", "2026-03-01T12:00:00.250+00:00"),
        ('{ column = "x", format = "unix_ms" }', 1_772_366_400_000, "2026-03-01T12:00:00.000+00:00"),
        ('{ column = "x", zone = "Europe/Berlin" }', "2026-07-01 12:00:00", "2026-07-01T10:00:00.000+00:00"),
        ('{ column = "x", zone = "Europe/Berlin" }', "2026-07-01T12:00:00Z", "2026-07-01T12:00:00.000+00:00"),
        ('{ column = "x", format = "%d.%m.%y %H:%M", zone = "UTC" }', "1.3.26 12:00", "2026-03-01T12:00:00.000+00:00"),
        ('{ column = "x", format = "%Y%m%d %H%M %z" }', "20260301 1300 +0100", "2026-03-01T12:00:00.000+00:00"),
        ('"x"', "2026-03-01T12:00:00", "2026-03-01T12:00:00"),
    ],
)
def test_times_become_utc(time: str, cell: Any, expected: str) -> None:
    event = one(f"occurred_at = {time}\n", cell)
    assert isinstance(event, dict), event
    assert event["occurred_at"] == expected


@pytest.mark.parametrize(
    ("fields", "cell", "code", "words"),
    [
        ('occurred_at = { column = "x", zone = "Europe/Berlin" }', "2026-10-25T02:30:00", "time_ambiguous", "twice"),
        ('occurred_at = { column = "x", zone = "Europe/Berlin" }', "2026-03-29T02:30:00", "time_nonexistent", "never"),
        ('occurred_at = { column = "x", format = "%Y-%m-%d", zone = "UTC" }', "1.3.26", "time_format", "%Y-%m-%d"),
        ('occurred_at = { column = "x", format = "unix_s" }', "1e30", "time_range", "no time"),
        ('occurred_at = "x"', 1_772_366_400, "time_format", "unix_s"),
        (TIME + 'value = "x"', "1,5", "number", "decimal sign '.'"),
        (TIME + 'wait_ms = "x"', "1.5", "number", "scale = 1000"),
        (TIME + 'outcome = { column = "x", lookup = { done = "resolved" } }', "Done", "lookup", "like 'done'"),
    ],
)
def test_cells_that_do_not_fit_are_refused_by_name(fields: str, cell: Any, code: str, words: str) -> None:
    error = refusal(fields + "\n", cell)
    assert error.code == code
    assert "column 'x'" in error.message
    assert words in error.message


def test_conditions() -> None:
    spec = mapping(
        TIME + REST,
        """[[skip]]
        column = "x"
        matches = "t.*"
        not = true
        empty = false
        [[skip]]
        column = "x"
        in = ["true", 3]""",
    )
    binding = Binding(spec, ["id", "at", "x"])
    kept = [cell for cell in ("test", "true", "3.0", "other", "", 3) if binding(["c", "t", cell]) is not SKIPPED]
    assert kept == ["test"]


def test_text_that_is_no_utf8_is_left_for_validation() -> None:
    for cell in ("a\ud800", {"a": "\ud800"}, {"a": b"\xff"}):
        event = one(TIME + 'staff_id = "x"', cell)
        assert isinstance(event, dict)
        validate(event, NOW, "test")


def test_attributes_of_objects_and_maps() -> None:
    binding = Binding(mapping(TIME + REST, before='attributes = ["x", "y"]'), ["id", "at", "x", "y"])
    event = binding(["c", "t", {"a": 1, "b": None, "c": ["d"]}, [("e", 2.5)]])
    assert isinstance(event, dict)
    assert event["attributes"] == {"a": "1", "c": '["d"]', "e": "2.5"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x", "is not TOML"),
        ("[fields]\n" + REST, "fields.occurred_at is missing"),
        (f"[fields]\n{TIME}", "fields.channel is missing"),
        (f"[feilds]\n{TIME}", "did you mean fields?"),
        (f'[fields]\n{TIME}{REST}chanel = "x"', "fields.chanel is not a field of a touchpoint: did you mean channel?"),
        (f'[fields]\n{TIME}{REST}value = {{ colum = "x" }}', "fields.value.colum is not a key of a mapping: did you"),
        (f"[fields]\n{TIME}{REST}value = {{ scale = 2 }}", "fields.value has neither a column nor a constant"),
        (f'[fields]\n{TIME}{REST}value = {{ column = "x", zone = "UTC" }}', "fields.value.zone is for times"),
        (f'[fields]\n{TIME}{REST}outcome = {{ constant = "done" }}', "fields.outcome.constant: outcome must be one of"),
        (f'[fields]\n{TIME}{REST}currency = {{ column = "x", default = "eur" }}', "fields.currency.default: currency"),
        (
            f'[fields]\n{TIME}customer_id = "x"\nchannel = {{ constant = "web" }}\n'
            'touchpoint = { column = "x", lookup = { a = "purchse" } }',
            "fields.touchpoint.lookup.a: unknown touchpoint 'purchse' of web: try purchase",
        ),
        (
            f'[fields]\n{REST}occurred_at = {{ column = "x", format = "%d.%m.%Y" }}',
            "fields.occurred_at.zone is missing",
        ),
        (f'[fields]\n{REST}occurred_at = {{ column = "x", format = "%H:%M" }}', "lacks the year"),
        (f'[fields]\n{REST}occurred_at = {{ column = "x", format = "iso" }}', "is none of rfc3339, unix_s"),
        (f'[fields]\n{REST}occurred_at = {{ column = "x", zone = "Europe/Berln" }}', "try Europe/Berlin"),
        (f'[fields]\n{REST}occurred_at = {{ column = "x", format = "unix_s", zone = "UTC" }}', "remove it"),
        (f'[fields]\n{TIME}{REST}[[skip]]\ncolumn = "x"', "skip.0 tests nothing"),
        (f'[fields]\n{TIME}{REST}[[skip]]\ncolumn = "x"\nmatches = "("', "skip.0.matches is not a regular expression"),
        (f'[fields]\n{TIME}{REST}[[skip]]\ncolumn = "x"\nequal = 1', "did you mean equals?"),
        (f'[fields]\n{TIME}{REST}event_id = {{ constant = "x" }}', "fields.event_id.constant would make all rows one"),
        (f'[file]\ndelimiter = ";;"\n[fields]\n{TIME}{REST}', "file.delimiter must be one ASCII character"),
        (f'[file]\nencoding = "utf-16"\n[fields]\n{TIME}{REST}', "file.encoding: input should be 'utf-8'"),
        (f'[file]\ndecimal = ","\nthousands = ","\n[fields]\n{TIME}{REST}', "both ','"),
        (f'[file]\ndelimiter = "|"\nquote = "|"\n[fields]\n{TIME}{REST}', "must differ"),
    ],
)
def test_a_wrong_mapping_is_named_by_its_key(text: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_mapping(text, "m.toml")
    assert str(caught.value).startswith("mapping m.toml")
    assert words in str(caught.value)


def test_columns_that_the_file_lacks_are_named_with_the_nearest() -> None:
    spec = mapping(TIME + REST + 'value = "Amout"')
    with pytest.raises(UsageError, match=r"fields.value.column: the file has no column 'Amout': did you mean 'AMOUNT'"):
        Binding(spec, ["id", "at", "AMOUNT"])
    with pytest.raises(UsageError, match="stands twice"):
        Binding(spec, ["id", "id", "at", "Amout"])
    optional = mapping(TIME + REST + 'value = "Amout"', '[file]\noptional = ["Amout"]')
    assert "value" not in Binding(optional, ["id", "at"])(["c", "t"])  # type: ignore[operator]


def test_the_digest_is_that_of_the_content() -> None:
    first, second = mapping(TIME + REST), mapping("# a note\n" + REST + TIME)
    assert first.digest == second.digest != mapping(TIME + REST + 'value = "x"').digest


def test_a_mapping_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_mapping(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"\xe4")
    with pytest.raises(UsageError, match="not UTF-8"):
        load_mapping(tmp_path / "latin.toml")


def test_the_examples_that_are_shown_are_mappings() -> None:
    page = (RETAIL.parent / "README.md").read_text()
    blocks = [part.split("```")[0] for part in page.split("```toml\n")[1:]]
    shown_by_help = textwrap.dedent(HELP.split("A mapping is TOML:\n")[1].split("\n\n")[0])
    for text in (*blocks, shown_by_help):
        assert parse_mapping(text, "shown").spec.fields["channel"].constant == "in_store"
