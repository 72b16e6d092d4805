"""Confluent framing: a zero byte, the schema id as four bytes, the body."""

from __future__ import annotations

HEADER_BYTES = 5
_MAGIC = 0


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


def schema_id_of(value: bytes | None) -> int:
    """Return the id that a value is framed with. Raises UndecodableError with code `framing` when it is not framed."""
    if value is None or len(value) < HEADER_BYTES or value[0] != _MAGIC:
        raise UndecodableError("framing", "no Confluent framing: a value starts with a zero byte and a schema id")
    return int.from_bytes(value[1:HEADER_BYTES], "big")
