"""What came in, as somebody can read it: JSON indented, a framed record decoded, anything else in hexadecimal. Pure."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from pipeline.letters import Letter
from pipeline.parsing import parse
from schemas.codec import Decoder, UndecodableError, UnmetSchemaError
from schemas.contracts import SUBJECTS
from schemas.ids import LOCAL, Ids

DUMPED_BYTES = 1024
_LINE_BYTES = 16


class Original(NamedTuple):
    """What the bytes are, and their text; of what is neither JSON nor Avro, at most the first 1,024 bytes."""

    kind: Literal["json", "avro", "bytes"]
    text: str


def readable(letter: Letter, ids: Ids = LOCAL) -> Original:
    """The original of a dead letter; never raises, and every character of the text is safe on a terminal."""
    if letter.topic in SUBJECTS:
        try:
            return Original("avro", _indented(Decoder(letter.topic, ids)(letter.original)))
        except (UndecodableError, UnmetSchemaError):
            return Original("bytes", hex_dump(letter.original))
    event, problem = parse(letter.original)
    if problem is None:
        try:
            return Original("json", _indented(event))
        except (ValueError, RecursionError):
            pass
    return Original("bytes", hex_dump(letter.original))


def _indented(value: Any) -> str:
    return printable(json.dumps(value, indent=2, ensure_ascii=False, default=repr))


def hex_dump(raw: bytes) -> str:
    """Offset, bytes and ASCII, sixteen a line; says how many more there are."""
    shown = raw[:DUMPED_BYTES]
    lines = [_dumped(start, shown[start : start + _LINE_BYTES]) for start in range(0, len(shown), _LINE_BYTES)]
    if len(raw) > len(shown):
        lines.append(f"... and {len(raw) - len(shown):,} more bytes")
    return "\n".join(lines)


def _dumped(start: int, raw: bytes) -> str:
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in raw)
    return f"{start:08x}  {raw.hex(' '):<47}  {text}"


def printable(text: str) -> str:
    """The text with all that a terminal might obey, and lone surrogates, escaped as in JSON; line ends stay."""
    return "".join(each if each.isprintable() or each == "\n" else json.dumps(each)[1:-1] for each in text)
