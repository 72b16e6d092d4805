"""From a body to the raw bytes of each event, so that one event that cannot be read spoils no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from pipeline.collector.refusal import not_json, too_large, wrong_type
from pipeline.parsing import parse
from pipeline.validation import EVENT_LIMIT

MOST_EVENTS = 1_000
JSON_TYPE = "application/json"
LINES_TYPES = ("application/x-ndjson", "application/jsonl")
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"

_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Piece(NamedTuple):
    """One event as it came, and its index: in the array, or of its line (from 0, blank lines counted)."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody wants here
    raw: bytes


def splitter(content_type: str | None) -> Callable[[bytes], list[Piece]]:
    """Return what splits bodies of this type. Raises a Refusal with status 415 for any other type."""
    kind, _, parameters = (content_type or "").lower().partition(";")
    kind = kind.strip()
    charset = parameters.partition("charset=")[2].strip().strip('"')
    if kind not in {JSON_TYPE, *LINES_TYPES}:
        wrong_type("content_type", f"Content-Type must be {JSON_TYPE} or {' or '.join(LINES_TYPES)}")
    if charset not in {"", "utf-8", "utf8", "us-ascii"}:
        wrong_type("charset", "the charset must be utf-8")
    return split_json if kind == JSON_TYPE else split_lines


def split_lines(body: bytes) -> list[Piece]:
    """Split JSON Lines. Raises a Refusal for a body without events, or with too many."""
    lines = body.removeprefix(_BOM).split(b"\n")
    pieces = [Piece(index, line) for index, line in enumerate(lines) if line.strip(_SPACE)]
    if not pieces:
        not_json("the body is empty: send at least one event", "empty")
    return _bounded(pieces)


def split_json(body: bytes) -> list[Piece]:
    """Split one object or an array. Raises a Refusal that says where the body as a whole is not JSON."""
    body = body.removeprefix(_BOM)
    try:
        body.decode()
    except UnicodeDecodeError as error:
        not_json(f"the body is not UTF-8 at byte {error.start}", "not_utf8")
    stripped = body.strip(_SPACE)
    if not stripped:
        not_json("the body is empty: send at least one event", "empty")
    if not stripped.startswith(b"["):
        return [Piece(0, _single(stripped))]
    return _bounded([Piece(index, raw) for index, raw in enumerate(_split_array(stripped))])


def _single(body: bytes) -> bytes:
    if len(body) > EVENT_LIMIT:
        too_large(f"an event may hold {EVENT_LIMIT:,} bytes, this one has {len(body):,}")
    _, problem = parse(body)
    if problem is not None:
        not_json(problem.message, problem.code)
    return body


def _bounded(pieces: list[Piece]) -> list[Piece]:
    if len(pieces) > MOST_EVENTS:
        too_large(f"{len(pieces):,} events in one request: at most {MOST_EVENTS:,} are taken")
    return pieces


def _split_array(body: bytes) -> Iterator[bytes]:
    try:
        return map(bytes, _elements(body))
    except (msgspec.DecodeError, RecursionError):
        return (json.dumps(event).encode() for event in _permissive_array(body))


def _permissive_array(body: bytes) -> list[Any]:
    """Read an array that strict JSON does not allow, for NaN and its like: only that event is refused."""
    event, problem = parse(body)
    if problem is not None:
        not_json(problem.message)
    return event if isinstance(event, list) else [event]
