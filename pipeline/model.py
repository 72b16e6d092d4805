"""The types an event passes through, one per stage.

    what came in  ->  Record (validated, ready for Avro)  ->  bytes on Kafka  ->  Record again, in an agent
                  ->  Rejected (with its reasons)         ->  a dead letter

Times are integers: UTC milliseconds since 1970-01-01.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
"""A touchpoint with every field of schemas/touchpoints, absent ones None; `customer_id` is the Kafka key."""

ANONYMOUS_PREFIX = "anon:"
ORIGINAL_LIMIT = 64 * 1024
NOT_ALLOWED = "not_allowed"
"""The reason code of an event that its write key may not send: nothing need be wrong with the event."""
VERSION = "0.1.0"
_NAMESPACE = uuid.UUID("6d0b8f0e-58a4-5c1e-9a0f-2f4f9b0c7d11")


@dataclass(frozen=True)
class FieldError:
    """Why something was refused: a stable code, the dotted path of the field, and what to do, in words."""

    code: str
    path: str
    message: str


class ContractError(ValueError):
    """A record was read and breaks the contract: `path` is the field, the text says how to mend it."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Rejected:
    """An event that was refused, with every reason found. `original` is what came in.

    `event_id` is the one that the event gave, or would have been given because of where it came from. `channel` is the
    one it named, where that is one of the catalogue.
    """

    errors: tuple[FieldError, ...]
    original: bytes
    event_id: str | None = None
    import_id: str | None = None
    line: int | None = None
    channel: str | None = None


@dataclass(frozen=True)
class LogPosition:
    """Where a record stands in Kafka. An offset means something only within its topic's epoch."""

    topic: str
    epoch: int
    partition: int
    offset: int


def readable_id(given: object) -> str | None:
    """What somebody gave as an id, if it is text fit to be shown; it may be wrong all the same."""
    return given if isinstance(given, str) and len(given) <= 100 and given.isprintable() else None


def derived_id(*parts: object) -> str:
    """A UUIDv5 of the parts: the same parts give the same id, here and after a replay."""
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(map(str, parts))))


def dead_letter(refused: Rejected, source: str, now: int, position: LogPosition | None = None) -> Record:
    """The record for topic `rejected`.

    The same refusal has the same id again: by its log position, else by its line of an import, else by its event_id and
    content. Only of what has none of these, two that look alike are two.
    """
    first = refused.errors[0]
    digest = hashlib.sha256(refused.original).hexdigest()
    if position:
        identity: tuple[object, ...] = (position.topic, position.epoch, position.partition, position.offset)
    elif refused.import_id is not None:
        identity = (refused.import_id, refused.line, digest)
    elif refused.event_id:
        identity = (source, refused.event_id, digest)
    else:
        identity = (source, digest, refused.event_id, now, uuid.uuid4())
    return {
        "dead_letter_id": derived_id("dead_letter", *identity),
        "event_id": refused.event_id,
        "code": first.code,
        "path": first.path,
        "message": "; ".join(error.message for error in refused.errors),
        "source": source,
        "topic": position.topic if position else None,
        "epoch": position.epoch if position else None,
        "partition": position.partition if position else None,
        "offset": position.offset if position else None,
        "rejected_at": now,
        "original": refused.original[:ORIGINAL_LIMIT],
        "original_length": len(refused.original),
        "original_sha256": digest,
        "import_id": refused.import_id,
        "line": refused.line,
        "version": VERSION,
    }
