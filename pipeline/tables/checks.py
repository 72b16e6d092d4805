"""What a mapping must hold beyond its shape: that its keys fit each other, the fields and the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from pipeline.errors import UsageError
from pipeline.model import Rejected
from pipeline.tables.spec import MAPPABLE, NUMBERS, TIME, Condition, FieldSpec, Mapping, Value, values_of
from pipeline.tables.times import check_time
from pipeline.validation import validate

_FAR_FUTURE = 1 << 52
_PROBE: dict[str, Any] = {"customer_id": "c", TIME: "2026-03-01T12:00:00Z", "channel": "web", "touchpoint": "x_any"}


def check(mapping: Mapping) -> None:
    """Raise UsageError for the first thing that no file could be read by; it names the key and the fix."""
    file = mapping.file
    if file.decimal == file.thousands:
        raise UsageError(f"file.thousands and file.decimal are both {file.decimal!r}: a number needs two signs")
    if file.delimiter == file.quote:
        raise UsageError(f"file.quote and file.delimiter are both {file.quote!r}: they must differ")
    for key, condition in _conditions(mapping):
        _check_condition(key, condition)
    for name, field in mapping.fields.items():
        _check_field(name, field)
    check_required(mapping)
    for name, field in mapping.fields.items():
        _check_fixed(mapping, name, field)


def check_required(mapping: Mapping) -> None:
    """Raise UsageError for the first field that every touchpoint needs and the mapping gives none."""
    for name in (TIME, "channel", "touchpoint"):
        if name not in mapping.fields:
            raise UsageError(f"fields.{name} is missing: a touchpoint needs it, from a column or as a constant")
    if "customer_id" not in mapping.fields and "anonymous_id" not in mapping.fields:
        raise UsageError("fields.customer_id is missing: a touchpoint needs it, or anonymous_id")


def _conditions(mapping: Mapping) -> Iterator[tuple[str, Condition]]:
    yield from ((f"skip.{index}", condition) for index, condition in enumerate(mapping.skip))
    for name, field in mapping.fields.items():
        for index, case in enumerate(field.cases):
            yield from ((f"fields.{name}.cases.{index}.when", condition) for condition in case.when)


def _check_condition(key: str, condition: Condition) -> None:
    if not condition.model_fields_set - {"column", "negated"}:
        raise UsageError(f"{key} tests nothing: add equals, in, starts_with, matches, below, above or empty")
    if condition.matches is not None:
        try:
            re.compile(condition.matches)
        except re.error as error:
            raise UsageError(f"{key}.matches is not a regular expression: {error}") from error


def _check_field(name: str, field: FieldSpec) -> None:
    key = f"fields.{name}"
    if name not in MAPPABLE:
        near = get_close_matches(name, MAPPABLE, n=1)
        hint = f"did you mean {near[0]}?" if near else "put its column into attributes"
        raise UsageError(f"{key} is not a field of a touchpoint: {hint}")
    for each, value in values_of(field, key):
        _check_value(each, name, value)


def _check_value(key: str, name: str, value: Value) -> None:
    if (value.column is None) == (value.constant is None):
        wrong = "neither a column nor a constant" if value.column is None else "both a column and a constant"
        raise UsageError(f"{key} has {wrong}: give one of them")
    given = {each for each in value.model_fields_set if getattr(value, each) is not None}
    if value.constant is not None and (
        extra := sorted(given & {"lookup", "default", "format", "zone", "scale", "times"})
    ):
        raise UsageError(f"{key}.{extra[0]} works on a column, and {key} is a constant: remove one of them")
    if name == "event_id" and value.constant is not None:
        raise UsageError(f"{key}.constant would make all rows one touchpoint: name a column, or leave event_id out")
    if name != TIME and (extra := sorted(given & {"format", "zone"})):
        raise UsageError(f"{key}.{extra[0]} is for times: {name} is none")
    if name not in NUMBERS and (extra := sorted(given & {"scale", "times"})):
        raise UsageError(f"{key}.{extra[0]} is for numbers: {name} is none")
    if value.lookup is not None and (extra := sorted(given & {"format", "zone", "scale", "times"})):
        raise UsageError(f"{key}.{extra[0]} does not go with lookup, which gives values as they are")
    if name == TIME:
        check_time(key, value.format, value.zone)


def _check_fixed(mapping: Mapping, name: str, field: FieldSpec) -> None:
    """Have every value that the mapping itself holds judged as if an event had brought it."""
    probe = dict(_PROBE)
    channel = mapping.fields["channel"]
    certain = channel.constant is not None and not channel.cases
    if certain:
        probe["channel"] = channel.constant
    for key, given in _fixed(field, f"fields.{name}"):
        if name == "touchpoint" and not certain:
            continue
        partner = {"rating_metric": ("rating_score", 5), "rating_score": ("rating_metric", "nps")}.get(name)
        event = {**probe, **(dict([partner]) if partner else {}), name: given}
        judged = validate(event, _FAR_FUTURE, "mapping")
        wrong = [error for error in judged.errors if error.path == name] if isinstance(judged, Rejected) else []
        if wrong:
            raise UsageError(f"{key}: {wrong[0].message}")


def _fixed(field: FieldSpec, key: str) -> Iterator[tuple[str, Any]]:
    for each, value in values_of(field, key):
        if value.constant is not None:
            yield f"{each}.constant", value.constant
        if value.default is not None:
            yield f"{each}.default", value.default
        for word, meaning in (value.lookup or {}).items():
            yield f"{each}.lookup.{word}", meaning
