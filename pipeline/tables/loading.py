"""From a mapping file to a Mapping that can be worked with; what is wrong in it is named by its key, with the fix."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import UsageError
from pipeline.tables.checks import check
from pipeline.tables.spec import MAPPABLE, Case, Condition, FieldSpec, File, Mapping


class LoadedMapping(NamedTuple):
    """A mapping; `name` is its file's, for messages; `digest` is that of its content, comments and order apart."""

    spec: Mapping
    name: str
    digest: str


def load_mapping(file: Path) -> LoadedMapping:
    """Read a mapping file. Raises UsageError, in one line, that names the first key that is wrong and what to do."""
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise UsageError(f"mapping {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"mapping {file} is not UTF-8: save it as UTF-8") from error
    return parse_mapping(text, file.name)


def parse_mapping(text: str, name: str) -> LoadedMapping:
    """Parse and check a mapping's TOML; raises as `load_mapping` does."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"mapping {name} is not TOML: {error}") from error
    try:
        spec = Mapping.model_validate(given)
    except ValidationError as error:
        raise UsageError(f"mapping {name}: {_described(_telling(error))}") from error
    try:
        check(spec)
    except UsageError as error:
        raise UsageError(f"mapping {name}: {error}") from error
    content = msgspec.json.encode(spec.model_dump(mode="json", by_alias=True), order="deterministic")
    return LoadedMapping(spec, name, sha256(content).hexdigest())


_TABLES: dict[str, type[BaseModel]] = {"file": File, "skip": Condition, "fields": FieldSpec, "": Mapping}


def _telling(error: ValidationError) -> ErrorDetails:
    """The first error; before one that a misspelt key brings about, that key."""
    details = error.errors(include_url=False)
    return next((each for each in details if each["type"] == "extra_forbidden"), details[0])


def _described(detail: ErrorDetails) -> str:
    where = [str(part) for part in detail["loc"] if "[" not in str(part) and part not in {"str", "int", "float"}]
    key = ".".join(where)
    if detail["type"] == "extra_forbidden":
        return f"{key} is not a key of a mapping{_instead(where[-1], _keys(where))}"
    if detail["type"] == "missing":
        return f"{key} is missing"
    if detail["type"] == "string_pattern_mismatch":
        return f"{key} must be one ASCII character"
    message = detail["msg"]
    return f"{key}: {message[0].lower()}{message[1:]}"


def _keys(where: list[str]) -> Iterable[str]:
    if len(where) == 1:
        return _names(Mapping)
    if "when" in where:
        return _names(Condition)
    return _names(Case if "cases" in where else _TABLES.get(where[0], Mapping))


def _names(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _instead(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    if name in MAPPABLE:
        hint = f"did you mean fields.{name}?"
    return f": {hint}"
