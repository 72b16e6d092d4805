"""Reading one event's JSON as leniently as can be, so that validation can name what is wrong in it."""

from __future__ import annotations

import json
from typing import Any

from pydantic_core import from_json

from pipeline.model import FieldError

_LONGEST_INTEGER = 400


def parse(raw: bytes) -> tuple[Any, FieldError | None]:
    """Read one event, or say why it cannot be read.

    Taken in, for validation to refuse by name: NaN and infinities, lone surrogates, endless integers. Of a key
    that comes twice the last counts.
    """
    try:
        return from_json(raw), None
    except ValueError:
        return _parse_permissively(raw)


def _parse_permissively(raw: bytes) -> tuple[Any, FieldError | None]:
    try:
        return json.loads(raw.decode(), parse_int=_integer), None
    except UnicodeDecodeError as error:
        return None, FieldError("not_utf8", "", f"not UTF-8 at byte {error.start}")
    except RecursionError:
        return None, FieldError("too_deep", "", "not JSON that can be read: it is nested too deeply")
    except ValueError as error:
        return None, FieldError("not_json", "", f"not JSON: {error}")


def _integer(digits: str) -> float:
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float("inf")
