"""A request refused as a whole: what the sender is told, and why the metrics count it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

_NONE: Mapping[str, str] = MappingProxyType({})


class Refusal(Exception):  # noqa: N818 (it is the answer, not a fault)
    """Ends a request with this status, code and message; `headers` go with the answer.

    `key_id` is the key's that was presented, where that is known and the request came no further.
    """

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] = _NONE, key_id: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
        self.key_id = key_id


def not_json(message: str, code: str = "not_json") -> NoReturn:
    """400: the body cannot be read as what it says it is."""
    raise Refusal(400, code, message)


def too_large(message: str) -> NoReturn:
    """413: send less at once."""
    raise Refusal(413, "too_large", message)


def wrong_type(code: str, message: str) -> NoReturn:
    """415: the body is of a type or coding that is not taken here."""
    raise Refusal(415, code, message)
