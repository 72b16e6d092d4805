"""Schemas as fastavro wants them.

Records are plain dictionaries. Times are integers, UTC milliseconds since 1970: fastavro is given the schemas with
their logical types removed, because making datetime and UUID objects costs more than all the rest of decoding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, cast

from fastavro import parse_schema
from fastavro.schema import SchemaParseException, expand_schema, to_parsing_canonical_form

from schemas.contracts import Avro, Contract, by_id

_NESTED = {"type", "items", "values", "fields"}


class InvalidSchemaError(ValueError):
    """What is no Avro schema."""


@contextmanager
def _understood() -> Iterator[None]:
    try:
        yield
    except (SchemaParseException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidSchemaError(f"it is no Avro schema: {error!r}") from error


@cache
def _parsed_by_id(schema_id: int) -> Avro:
    contract = by_id(schema_id)
    assert contract is not None  # noqa: S101 (ids come from contracts only)
    return parsed_schema(contract.schema)


def parsed(contract: Contract) -> Avro:
    """The contract as fastavro wants it, logical types removed."""
    return _parsed_by_id(contract.schema_id)


def parsed_schema(schema: Avro) -> Avro:
    """Any schema as fastavro wants it. Raises InvalidSchemaError."""
    with _understood():
        return cast(Avro, parse_schema(without_logical_types(schema)))


def expanded(schema: Any) -> Any:
    """The schema with every named type written out where it is used, but within itself. Raises InvalidSchemaError."""
    with _understood():
        return expand_schema(schema)


def wire_form(schema: Any) -> str:
    """What decides about the bytes of a body, and nothing else: equal forms, equal bytes."""
    return cast(str, to_parsing_canonical_form(without_logical_types(schema)))


def without_logical_types(schema: Any) -> Any:
    """The same schema with every logical type replaced by what it is made of."""
    if isinstance(schema, list):
        return [without_logical_types(item) for item in schema]
    if isinstance(schema, dict):
        if "logicalType" in schema:
            return schema["type"]
        return {key: without_logical_types(item) if key in _NESTED else item for key, item in schema.items()}
    return schema
