"""Records to framed Avro bodies and back, in both directions by the ids that the process uses.

Records are plain dictionaries; times are integers, UTC milliseconds since 1970 (see `schemas.parsing`).
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import cast

from fastavro import schemaless_reader, schemaless_writer

from schemas.contracts import Avro, latest
from schemas.framing import HEADER_BYTES, NotTextError, UndecodableError, header, schema_id_of
from schemas.ids import LOCAL, Ids, UnmetSchemaError
from schemas.parsing import parsed
from schemas.reading import Record

__all__ = ["HEADER_BYTES", "Decoder", "Encoder", "Record", "UndecodableError", "UnmetSchemaError", "header"]

_How = tuple[Avro, Avro | None, Callable[[Record], Record] | None]
"""The writer's schema; the reader's, where they must be resolved; what else is to be done to the record."""


class Encoder:
    """Encodes records of one subject's latest version, framed. One instance per subject is enough."""

    def __init__(self, subject: str, ids: Ids = LOCAL) -> None:
        contract = latest(subject)
        self._header = header(ids.own(subject))
        self._schema = parsed(contract)

    def __call__(self, record: Record) -> bytes:
        """Return the framed bytes. Raises ValueError or TypeError when the record does not fit the schema."""
        out = BytesIO(self._header)
        out.seek(HEADER_BYTES)
        schemaless_writer(out, self._schema, record)
        return out.getvalue()


class Decoder:
    """Decodes framed values of one subject to its latest version, whatever version wrote them.

    Fields that the writer lacked take the latest defaults; fields that it has too much are dropped.
    """

    def __init__(self, subject: str, ids: Ids = LOCAL) -> None:
        self._subject = subject
        self._ids = ids
        self._known: dict[bytes, _How] = {}

    def __call__(self, value: bytes | None) -> Record:
        """Return the record.

        Raises UndecodableError with code `framing`, `schema_id` or `body`, and UnmetSchemaError for an id that must
        be met first. Bytes left over after the body are an error: they mean that writer and schema disagree.
        """
        framing = value[:HEADER_BYTES] if value else b""
        writer, reader, fitted = self._known.get(framing) or self._learn(value)
        body = BytesIO(value)  # type: ignore[arg-type]
        body.seek(HEADER_BYTES)
        try:
            record = cast(Record, schemaless_reader(body, writer, reader))
        except UnicodeDecodeError as error:
            raise NotTextError("body", f"a string of the Avro body is not UTF-8: {_words(error)}") from error
        except Exception as error:
            raise UndecodableError("body", f"the Avro body does not fit its schema: {_words(error)}") from error
        if body.tell() != len(value):  # type: ignore[arg-type]
            raise UndecodableError("body", "there are bytes after the Avro body: writer and schema disagree")
        return fitted(record) if fitted else record

    def _learn(self, value: bytes | None) -> _How:
        schema_id = schema_id_of(value)
        reading = self._ids.reading(self._subject, schema_id)
        how = reading.writer, reading.reader, None if reading.as_written else reading.fitted
        self._known[header(schema_id)] = how
        return how


def _words(error: Exception) -> str:
    """What went wrong, briefly: the `repr` of some errors quotes the whole body, which may be megabytes."""
    return f"{type(error).__name__}: {str(error)[:300]}"
