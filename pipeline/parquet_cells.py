"""Arrow's columns as cells that a mapping can read, and which of its types cannot be. Needs the extra `parquet`."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from pipeline.errors import UsageError
from pipeline.tables.columns import columns_used
from pipeline.tables.loading import LoadedMapping
from pipeline.tables.spec import TIME, Mapping, values_of
from pipeline.tables.times import RFC_3339

_types = pa.types
_PLAIN = (
    _types.is_string,
    _types.is_large_string,
    _types.is_string_view,
    _types.is_integer,
    _types.is_floating,
    _types.is_boolean,
    _types.is_decimal,
    _types.is_timestamp,
    _types.is_date,
    _types.is_null,
    lambda kind: isinstance(kind, pa.UuidType),
)


def check_types(schema: Any, mapping: LoadedMapping) -> None:
    """Raise UsageError for the first column used that no touchpoint could hold, or whose times could mean any zone."""
    objects = set(_objects(mapping.spec))
    for name in dict.fromkeys(columns_used(mapping.spec)):
        if name not in schema.names:
            continue
        kind = _plain(schema.field(name).type)
        if not (_is_plain(kind) or (name in objects and _types.is_nested(kind))):
            fix = "cast it to text or numbers, or leave it out"
            raise UsageError(f"column {name!r} holds {kind}, which no touchpoint has: {fix}")
    for column, key, zone, form in _times(mapping.spec):
        if column in schema.names:
            _check_time(_plain(schema.field(column).type), column, key, zone, form)


def _check_time(kind: Any, column: str, key: str, zone: str | None, form: str | None) -> None:
    if (_types.is_timestamp(kind) and kind.tz is None and zone is None) or (_types.is_date(kind) and zone is None):
        raise UsageError(
            f"column {column!r} holds times without a zone, which could mean any: "
            f'say in a mapping where their clock hung, {key}.zone = "Europe/Berlin", or "UTC"'
        )
    if (_types.is_integer(kind) or _types.is_floating(kind)) and (form is None or form == RFC_3339):
        raise UsageError(f"column {column!r} holds numbers: say in a mapping {key}.format = unix_s or unix_ms")


def _plain(kind: Any) -> Any:
    return kind.value_type if _types.is_dictionary(kind) else kind


def _is_plain(kind: Any) -> bool:
    return any(test(kind) for test in _PLAIN)


def _objects(mapping: Mapping) -> list[str]:
    attributes = mapping.attributes
    return list(attributes.values() if isinstance(attributes, dict) else attributes)


def _times(mapping: Mapping) -> list[tuple[str, str, str | None, str | None]]:
    """Column, key, zone and format of every time that is read as one."""
    values = values_of(mapping.fields[TIME], f"fields.{TIME}")
    return [(each.column, key, each.zone, each.format) for key, each in values if each.column and each.lookup is None]


def cells_of(column: Any) -> list[Any]:
    """The cells as Python has them: times in UTC where they have a zone, nanoseconds cut off."""
    kind = column.type
    if _types.is_dictionary(kind):
        return cells_of(column.dictionary_decode())
    if _types.is_timestamp(kind):
        unit = "us" if kind.unit == "ns" else kind.unit
        column = column.cast(pa.timestamp(unit, "UTC" if kind.tz else None), safe=False)
    try:
        cells: list[Any] = column.to_pylist()
    except (ValueError, OverflowError):
        return [_cell(each) for each in column]
    return cells


def _cell(scalar: Any) -> Any:
    """One cell of a column that has some which Python cannot hold: those become text that no field takes."""
    try:
        return scalar.as_py()
    except UnicodeDecodeError:
        return scalar.as_buffer().to_pybytes().decode("utf-8", "surrogateescape")
    except (ValueError, OverflowError):
        return f"out of range: {scalar.cast(pa.int64(), safe=False).as_py()}"
