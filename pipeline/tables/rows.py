"""A mapping bound to the columns of one file: from a row to the event as it would have been sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pipeline.errors import UsageError
from pipeline.model import FieldError
from pipeline.tables.attributes import attributes_of
from pipeline.tables.cells import UnfitError
from pipeline.tables.columns import Columns, Row
from pipeline.tables.conditions import any_of
from pipeline.tables.loading import LoadedMapping
from pipeline.tables.numbers import number_reader
from pipeline.tables.values import field_value


class Skipped:
    """What a row becomes that the mapping leaves out."""


SKIPPED: Final = Skipped()


class Binding:
    """Maps the rows of one file; the same row always gives the same event.

    Raises UsageError, before any row is read, where the file lacks a column that the mapping names.
    """

    def __init__(self, mapping: LoadedMapping, names: Sequence[str]) -> None:
        spec = mapping.spec
        columns = Columns(names, spec, f"mapping {mapping.name}")
        number = number_reader(spec.file)
        self._fields = [(name, field_value(name, field, columns, number)) for name, field in spec.fields.items()]
        self._skip = any_of(spec.skip, "skip", columns, number) if spec.skip else None
        self._attributes = attributes_of(spec, columns) if spec.attributes else None

    def __call__(self, row: Row) -> dict[str, Any] | FieldError | Skipped:
        """Map one row, or say which field it does not fit; validation judges the event itself."""
        name = ""
        event: dict[str, Any] = {}
        try:
            if self._skip is not None and self._skip(row):
                return SKIPPED
            for name, value_of in self._fields:
                value = value_of(row)
                if value is not None:
                    event[name] = value
        except UnfitError as error:
            return FieldError(error.code, name, str(error))
        if self._attributes is not None and (attributes := self._attributes(row)):
            event["attributes"] = attributes
        return event


def refuse_dialect(mapping: LoadedMapping, kind: str) -> None:
    """Raise UsageError where the mapping says how CSV is written, and the file is none."""
    if given := sorted(mapping.spec.file.model_fields_set & {"delimiter", "quote", "encoding"}):
        raise UsageError(
            f"mapping {mapping.name}: file.{given[0]} says how CSV is written, and this is {kind}: remove it"
        )
