"""Whether what was refused speaks of a person, pure.

A dead letter keeps what came in as it was, so a person may stand in it by an id, or by an address of which the id is
the hash. JSON is looked through value by value, Avro by its strings; of any other text, an id must stand apart in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

from pipeline.identity_hash import email_id, phone_id
from pipeline.model import ANONYMOUS_PREFIX
from schemas.codec import Decoder, UndecodableError, UnmetSchemaError

_DEEPEST = 50
_HASHED = ("email:", "phone:")


class Mentions:
    """Finds a person's ids.

    `keys` are the person's Kafka keys; `identity_key` and `region` are those that addresses and phone numbers were made
    into ids with.
    """

    def __init__(self, keys: Collection[str], identity_key: str = "", region: str | None = None) -> None:
        self.names = sorted({name for key in keys for name in (key, key.removeprefix(ANONYMOUS_PREFIX))})
        """What the person may be called: a key, and the anonymous id in it."""
        self.by_address = any(name.startswith(_HASHED) for name in self.names)
        """Whether the person is known by the hash of an address, which stands nowhere before it is made."""
        self._names = frozenset(self.names)
        self._identity_key = identity_key
        self._phone = partial(phone_id, key=identity_key, region=region)
        written = sorted({form for name in self.names for form in _forms(name)}, key=len, reverse=True)
        self._apart = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, written))})(?!\w)")

    @property
    def needles(self) -> list[str]:
        """Texts of which one stands wherever an id does, as it is or as JSON writes it."""
        return sorted({form for name in self.names for form in _forms(name)})

    def in_original(self, original: bytes, decode: Decoder | None = None) -> bool:
        """Whether what came in speaks of the person; `decode` reads what came from a topic of ours."""
        if decode is not None:
            try:
                return self._in_value(decode(original), _DEEPEST)
            except (UndecodableError, UnmetSchemaError):
                pass  # it was refused for that; its strings stand in it all the same
            if any(_avro_string(name) in original for name in self.names):
                return True
        return self.in_text(original.decode("utf-8", "replace"))

    def in_text(self, text: str) -> bool:
        """Whether a text speaks of the person: JSON by one of its values, any other where an id stands apart."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return self._apart.search(text) is not None
        return self._in_value(value, _DEEPEST)

    def _in_value(self, value: Any, depth: int) -> bool:
        return any(self._is_person(leaf, depth) for leaf in _leaves(value))

    def _is_person(self, leaf: Any, depth: int) -> bool:
        text = leaf if isinstance(leaf, str) else str(leaf)
        if text in self._names:
            return True
        if not isinstance(leaf, str):
            return False
        if self.by_address and ({email_id(text, self._identity_key), self._phone(text)} & self._names):
            return True
        if depth and text[:1] in {"{", "["}:
            return self._in_nested(text, depth - 1)
        return " " in text and self._apart.search(text) is not None

    def _in_nested(self, text: str, depth: int) -> bool:
        try:
            return self._in_value(json.loads(text), depth)
        except (ValueError, RecursionError):
            return self._apart.search(text) is not None


def _leaves(value: Any) -> Iterator[Any]:
    """All that stands in a parsed value: keys, texts and numbers. Without recursion, so that no depth is too much."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += each.keys()
            left += each.values()
        elif isinstance(each, list):
            left += each
        elif isinstance(each, str | int | float) and not isinstance(each, bool):
            yield each


def _forms(name: str) -> tuple[str, str]:
    """An id as it is, and as JSON in ASCII has it."""
    return name, json.dumps(name)[1:-1]


def _avro_string(text: str) -> bytes:
    """A string as Avro has it: its length in bytes, zigzag, then its bytes."""
    raw = text.encode("utf-8", "surrogatepass")
    length, prefix = len(raw) << 1, bytearray()
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes((*prefix, length)) + raw
