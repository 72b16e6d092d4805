"""How the bodies that some schema wrote become records of a subject's latest version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.contracts import Avro, Contract, history, latest
from schemas.framing import UndecodableError
from schemas.parsing import InvalidSchemaError, expanded, parsed, parsed_schema, wire_form
from schemas.resolution import obstacles

Record = dict[str, Any]


@dataclass(frozen=True)
class Reading:
    """What it takes to read one writer's bodies.

    `contract` is the kept version whose bodies have the same bytes and whose fields are of the latest types, so that
    they may land as they are; None when they must be decoded. `reader` is given only where types differ: resolving
    costs as much again as decoding. Else `surplus` names the fields to drop, and `defaults` has those to fill in.
    """

    contract: Contract | None
    writer: Avro
    reader: Avro | None
    surplus: tuple[str, ...]
    defaults: Mapping[str, Any]

    @property
    def as_written(self) -> bool:
        """True when a decoded body needs nothing more."""
        return not self.surplus and not self.defaults

    def fitted(self, record: Record) -> Record:
        """The decoded record with the fields of the latest version."""
        for name in self.surplus:
            del record[name]
        return {**self.defaults, **record}


def reading_of_kept(contract: Contract) -> Reading:
    """How to read a version that this worker has itself."""
    return _reading(contract.subject, contract.schema, parsed(contract), contract)


def reading_of(subject: str, schema: Avro) -> Reading:
    """How to read a schema from elsewhere.

    Raises UndecodableError with code `schema_id` that says why where it is none of this subject's, cannot be read as
    the latest version known here, or is no schema at all.
    """
    newest = latest(subject)
    try:
        found = "it is a union" if isinstance(schema, list) else next(obstacles(schema, newest.schema), None)
        if found is None:
            form = wire_form(schema)
            kept = next((each for each in reversed(history(subject)) if wire_form(each.schema) == form), None)
            return _reading(subject, schema, parsed_schema(schema), kept)
    except InvalidSchemaError as error:
        raise UndecodableError("schema_id", str(error)) from error
    raise UndecodableError("schema_id", f"its schema cannot be read as {subject} v{newest.version}: {found}")


def _reading(subject: str, schema: Avro, writer: Avro, contract: Contract | None) -> Reading:
    newest = latest(subject)
    before, after = _types(schema), _types(newest.schema)
    if any(before[name] != after[name] for name in before.keys() & after.keys()) or _has_aliases(newest.schema):
        return Reading(None, writer, parsed(newest), (), {})
    surplus = tuple(name for name in before if name not in after)
    defaults = {field["name"]: field["default"] for field in newest.schema["fields"] if field["name"] not in before}
    return Reading(contract, writer, None, surplus, defaults)


def _types(schema: Avro) -> dict[str, str]:
    return {field["name"]: wire_form(field["type"]) for field in expanded(schema)["fields"]}


def _has_aliases(schema: Avro) -> bool:
    return any(field.get("aliases") for field in schema["fields"])
