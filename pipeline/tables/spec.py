"""What a mapping file says: for every field of a touchpoint, where its value comes from. The shape of the TOML."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipeline.validation import FIELDS

Scalar = str | int | float
Column = Annotated[str, Field(min_length=1)]
TIME = "occurred_at"
NUMBERS = frozenset({"sentiment", "rating_score", "value", "duration_ms", "wait_ms"})
WHOLE_NUMBERS = frozenset({"duration_ms", "wait_ms"})
MAPPABLE = tuple(name for name in FIELDS if name != "attributes")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, populate_by_name=True)


class Condition(_Table):
    """A test of one cell; when it names several tests, all must hold. Text is compared without outer spaces."""

    column: Column
    equals: Scalar | None = None
    one_of: list[Scalar] | None = Field(None, alias="in", min_length=1)
    starts_with: str | None = None
    matches: str | None = None
    below: int | float | None = None
    above: int | float | None = None
    empty: bool | None = None
    negated: bool = Field(False, alias="not")


def _listed(given: Any) -> Any:
    return given if isinstance(given, list) else [given]


Conditions = Annotated[list[Condition], BeforeValidator(_listed), Field(min_length=1)]


class Value(_Table):
    """One way to a value: a column or a constant, and how a cell of the column is read.

    `default` stands for an empty cell, and for one that `lookup` does not list. A number is multiplied by `scale` and
    by the cell of the column `times`.
    """

    column: Column | None = None
    constant: Scalar | None = None
    lookup: dict[str, Scalar] | None = Field(None, min_length=1)
    default: Scalar | None = None
    format: str | None = None
    zone: str | None = None
    scale: int | float | None = None
    times: Column | None = None


class Case(Value):
    """A value for the rows that meet any of the conditions `when`."""

    when: Conditions


class FieldSpec(Value):
    """A field: the first of its cases that applies, else its own value; without one, the field is absent."""

    cases: list[Case] = []


def _from_column(given: Any) -> Any:
    return {"column": given} if isinstance(given, str) else given


class File(_Table):
    """How the file is written: the dialect of CSV, and how numbers that are text look in any file.

    Columns listed as `optional` may be missing from a file; then all their cells are empty.
    """

    delimiter: str = Field(",", pattern=r"^[\x01-\x09\x0b\x0c\x0e-\x7f]$")
    quote: str = Field('"', pattern=r"^[\x21-\x7e]?$")
    encoding: Literal["utf-8", "utf-8-sig", "latin-1", "cp1252"] = "utf-8"
    decimal: Literal[".", ","] = "."
    thousands: Literal[".", ",", " ", "'"] | None = None
    optional: list[Column] = []


class Mapping(_Table):
    """A whole mapping. `attributes` names columns, or gives attributes as name = column."""

    file: File = File()
    skip: list[Condition] = []
    fields: dict[str, Annotated[FieldSpec, BeforeValidator(_from_column)]]
    attributes: list[Column] | dict[str, Column] = []


def values_of(field: FieldSpec, key: str) -> list[tuple[str, Value]]:
    """Every way to the field's value, each with its key in the mapping; the field's own comes last."""
    cases: list[tuple[str, Value]] = [(f"{key}.cases.{index}", case) for index, case in enumerate(field.cases)]
    own = field.column is not None or field.constant is not None or not cases
    return [*cases, (key, field)] if own else cases
