"""What an agent refuses, as an envelope: why, the bytes, and the ids that they still tell."""

from __future__ import annotations

from pipeline.model import ContractError, FieldError, Rejected, readable_id
from schemas.codec import Decoder, UndecodableError


def problem_of(error: ValueError) -> FieldError:
    """The reason code, the field and the words for what a codec or a check of the contract raised."""
    code = error.code if isinstance(error, UndecodableError) else "contract"
    path = error.path if isinstance(error, ContractError) else ""
    return FieldError(code, path, str(error))


def envelope(value: bytes | None, problem: FieldError, decode: Decoder) -> Rejected:
    """A refused record: event_id and import_id are those of its body, where that can be read at all."""
    try:
        record = decode(value)
    except UndecodableError:
        record = {}
    ids = readable_id(record.get("event_id")), readable_id(record.get("import_id"))
    return Rejected((problem,), value or b"", *ids)
