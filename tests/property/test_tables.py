"""What holds for every mapping of a table, whatever its cells."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model import FieldError
from pipeline.tables.cells import UnfitError
from pipeline.tables.loading import parse_mapping
from pipeline.tables.numbers import number_reader
from pipeline.tables.rows import SKIPPED, Binding
from pipeline.tables.spec import File
from pipeline.tables.times import localized, time_reader
from pipeline.validation import validate

NOW = 1_772_366_400_000
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC", "Africa/Casablanca")
MAPPING = parse_mapping(
    """
    attributes = ["f"]
    [file]
    decimal = ","
    thousands = "."
    [[skip]]
    column = "e"
    starts_with = "skip"
    [fields]
    customer_id = "a"
    occurred_at = { column = "b", format = "%d.%m.%Y %H:%M", zone = "Europe/Berlin" }
    channel = { constant = "web" }
    touchpoint = { column = "c", lookup = { sale = "purchase" }, default = "page_view" }
    value = { column = "d", times = "e", scale = 0.01 }
    duration_ms = { column = "e", scale = 1000 }
    """,
    "m.toml",
)
times = st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1))  # noqa: DTZ001 (what has no zone is the point)
cells = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.decimals(allow_infinity=True),
    st.from_regex(r"-?\d{1,3}(\.\d{3})*(,\d+)?", fullmatch=True),
    times,
    times.map(lambda moment: moment.strftime("%d.%m.%Y %H:%M")),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    st.lists(st.tuples(st.text(max_size=3), st.integers()), max_size=2),
)


@given(st.lists(cells, min_size=6, max_size=6))
def test_any_row_becomes_an_event_or_a_reason_and_always_the_same(row: list[Any]) -> None:
    binding = Binding(MAPPING, list("abcdef"))
    first, second = binding(row), Binding(MAPPING, list("abcdef"))(row)
    assert first == second
    if isinstance(first, FieldError):
        assert first.path in {"", *MAPPING.spec.fields}
    elif first is not SKIPPED:
        validate(first, NOW, "test")


@given(
    st.decimals(-(10**12), 10**12, places=3),
    st.sampled_from([(".", None), (",", None), (",", "."), (".", ","), (",", " "), (".", "'")]),
)
def test_a_number_is_read_as_it_was_written(number: Decimal, signs: tuple[Literal[".", ","], Any]) -> None:
    decimal, thousands = signs
    words = f"{number:,.3f}" if thousands else f"{number:.3f}"
    words = words.translate(str.maketrans({",": thousands or "", ".": decimal}))
    assert number_reader(File(decimal=decimal, thousands=thousands))(words) == number


@given(times, st.sampled_from(ZONES))
def test_a_local_time_stands_for_the_one_moment_that_shows_it_or_is_refused(naive: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    around = {
        moment.astimezone(UTC)
        for fold in (0, 1)
        if (moment := naive.replace(tzinfo=zone, fold=fold)).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        == naive
    }
    try:
        found = localized(naive, zone)
    except UnfitError as error:
        assert error.code == ("time_ambiguous" if around else "time_nonexistent")
        assert len(around) != 1
    else:
        assert {found.astimezone(UTC)} == around


@given(times, st.sampled_from(ZONES), st.integers(-12, 14))
def test_a_time_keeps_its_moment_however_it_is_written(naive: datetime, name: str, hours: int) -> None:
    moment = naive.replace(microsecond=naive.microsecond // 1000 * 1000, tzinfo=UTC)
    number = number_reader(File())
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    offset = moment.astimezone(ZoneInfo("Etc/GMT" + f"{-hours:+d}"))
    read = {
        time_reader("unix_ms", None, number)(milliseconds),
        time_reader("unix_s", None, number)(str(Decimal(milliseconds) / 1000)),
        time_reader("rfc3339", name, number)(offset.isoformat()),
        time_reader("%Y-%m-%d %H:%M:%S.%f %z", None, number)(offset.strftime("%Y-%m-%d %H:%M:%S.%f %z")),
        time_reader(None, None, number)(moment),
    }
    assert read == {moment.isoformat(timespec="milliseconds")}
