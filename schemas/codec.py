"""Confluent framing around Avro bodies: a zero byte, the schema id as four bytes, the body.

Records are plain dictionaries. Times are integers, UTC milliseconds since 1970: fastavro is given the schemas with
their logical types removed, because making datetime and UUID objects costs more than all the rest of decoding.
"""

from __future__ import annotations

from functools import cache
from io import BytesIO
from typing import Any, cast

from fastavro import parse_schema, schemaless_reader, schemaless_writer

from schemas.contracts import Avro, Contract, by_id, latest

HEADER_BYTES = 5
_MAGIC = 0

_NESTED = {"type", "items", "values", "fields"}

Record = dict[str, Any]


class UndecodableError(ValueError):
    """A framed value that cannot be read; `code` is its reason code, the text says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotTextError(UndecodableError):
    """A string in the body is not UTF-8; as far as lengths go the body may well fit its schema."""


def header(schema_id: int) -> bytes:
    """The five bytes in front of a body."""
    return bytes([_MAGIC]) + schema_id.to_bytes(4, "big")


class Encoder:
    """Encodes records of one subject's latest version, framed. One instance per subject is enough."""

    def __init__(self, subject: str) -> None:
        contract = latest(subject)
        self.schema_id = contract.schema_id
        self._header = header(contract.schema_id)
        self._schema = parsed(contract)

    def __call__(self, record: Record) -> bytes:
        """Return the framed bytes. Raises ValueError or TypeError when the record does not fit the schema."""
        out = BytesIO(self._header)
        out.seek(HEADER_BYTES)
        schemaless_writer(out, self._schema, record)
        return out.getvalue()


class Decoder:
    """Decodes framed values of one subject, whatever version wrote them; absent fields take the latest defaults."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._known: dict[bytes, tuple[Avro, Record]] = {}

    def __call__(self, value: bytes | None) -> Record:
        """Return the record. Raises UndecodableError with code `framing`, `schema_id` or `body`.

        Bytes left over after the body are an error: they mean that writer and schema disagree.
        """
        framing = value[:HEADER_BYTES] if value else b""
        schema, defaults = self._known.get(framing) or self._learn(value)
        body = BytesIO(value)  # type: ignore[arg-type]
        body.seek(HEADER_BYTES)
        try:
            record = cast(Record, schemaless_reader(body, schema, None))
        except UnicodeDecodeError as error:
            raise NotTextError("body", f"a string of the Avro body is not UTF-8: {_words(error)}") from error
        except Exception as error:
            raise UndecodableError("body", f"the Avro body does not fit its schema: {_words(error)}") from error
        if body.tell() != len(value):  # type: ignore[arg-type]
            raise UndecodableError("body", "there are bytes after the Avro body: writer and schema disagree")
        return {**defaults, **record} if defaults else record

    def _learn(self, value: bytes | None) -> tuple[Avro, Record]:
        contract = contract_of(value, self._subject)
        known = self._known[header(contract.schema_id)] = (parsed(contract), defaults_missing_from(contract))
        return known


def _words(error: Exception) -> str:
    """What went wrong, briefly: the `repr` of some errors quotes the whole body, which may be megabytes."""
    return f"{type(error).__name__}: {str(error)[:300]}"


def contract_of(value: bytes | None, subject: str) -> Contract:
    """Which contract a framed value names. Raises UndecodableError with code `framing` or `schema_id`."""
    if value is None or len(value) < HEADER_BYTES or value[0] != _MAGIC:
        raise UndecodableError("framing", "no Confluent framing: a value starts with a zero byte and a schema id")
    schema_id = int.from_bytes(value[1:HEADER_BYTES], "big")
    contract = by_id(schema_id)
    if contract is None or contract.subject != subject:
        raise UndecodableError("schema_id", f"schema id {schema_id} is not one of {subject}")
    return contract


def defaults_missing_from(contract: Contract) -> Record:
    """Defaults of the fields that the latest version has and this one lacks."""
    have = {field["name"] for field in contract.schema["fields"]}
    newest = latest(contract.subject).schema["fields"]
    return {field["name"]: field["default"] for field in newest if field["name"] not in have}


@cache
def _parsed_by_id(schema_id: int) -> Avro:
    contract = by_id(schema_id)
    assert contract is not None  # noqa: S101 (ids come from contracts only)
    return cast(Avro, parse_schema(without_logical_types(contract.schema)))


def parsed(contract: Contract) -> Avro:
    """The contract as fastavro wants it, logical types removed."""
    return _parsed_by_id(contract.schema_id)


def without_logical_types(schema: Any) -> Any:
    """The same schema with every logical type replaced by what it is made of."""
    if isinstance(schema, list):
        return [without_logical_types(item) for item in schema]
    if isinstance(schema, dict):
        if "logicalType" in schema:
            return schema["type"]
        return {key: without_logical_types(item) if key in _NESTED else item for key, item in schema.items()}
    return schema
