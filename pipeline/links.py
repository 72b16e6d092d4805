"""The registry of short links: what a TOML file says of each, and everything that is wrong with it.

[links.spring]                                     the code: /l/spring
target = "https://shop.example/spring?from=mail"   where it leads, http or https
kind = "qr"                                        link (unless said otherwise) or qr
campaign = "spring-sale"                           also partner, reference and stage: fields of the touchpoint
attributes = { place = "tram stop" }
expires = 2026-12-31T23:59:59Z
pass_query = true                                  hand utm_* on to the target; else nothing is
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from pipeline.link_targets import LONGEST_UTM, UTM, host_of, target_problem
from pipeline.model import FieldError, Record
from pipeline.validation import EVENT_LIMIT, validate

CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
TOUCHPOINTS = {"link": "link_click", "qr": "qr_scan"}
FIELDS = ("campaign", "partner", "reference", "stage")
ADDED = ("link", "target_host", "browser")
"""The attributes that following a link adds to the link's own; with `pass_query` also those of UTM."""
_ROOM_FOR_IDS = 8 * 1024


@dataclass(frozen=True)
class Link:
    """One short link. `event` is the part of its touchpoint that is the same each time; `expires` is in UTC ms."""

    code: str
    target: str
    kind: Literal["link", "qr"]
    event: Mapping[str, Any]
    expires: int | None = None
    pass_query: bool = False

    def expired(self, now: int) -> bool:
        """Whether the link leads nowhere any more at `now`, UTC ms."""
        return self.expires is not None and now >= self.expires

    def touchpoint(self, moment: str, attributes: Mapping[str, str], **ids: str) -> dict[str, Any]:
        """The event of somebody who follows the link, with these attributes beside the link's own."""
        own = {**self.event["attributes"], "link": self.code, "target_host": host_of(self.target)}
        return {**self.event, **ids, "occurred_at": moment, "attributes": {**own, **attributes}}


Links = Mapping[str, Link]


class _Entry(BaseModel):
    """A table [links.CODE]; what its fields may hold beyond their types is for `validate` to say."""

    model_config = ConfigDict(extra="forbid", strict=True)

    target: str
    kind: Literal["link", "qr"] = "link"
    campaign: str | None = None
    partner: str | None = None
    reference: str | None = None
    stage: str | None = None
    attributes: dict[str, str] = {}
    expires: AwareDatetime | None = None
    pass_query: bool = False


def read(text: str) -> tuple[Links, tuple[FieldError, ...]]:
    """The links of a registry's text and its problems; those that have a problem are not among the links."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return {}, (FieldError("not_toml", "", f"not TOML: {error}"),)
    tables = data.get("links")
    problems = [
        FieldError("unknown_field", name, f"{name} is not known here: only links") for name in data.keys() - {"links"}
    ]
    if not isinstance(tables, dict) or not tables:
        problems.append(FieldError("missing", "links", "there are no links: write a table [links.CODE] for each"))
        return {}, tuple(problems)
    found: dict[str, Link] = {}
    for code, table in tables.items():
        link = _link(code, table)
        if isinstance(link, Link):
            found[code] = link
        else:
            problems.extend(link)
    return found, tuple(problems)


def _link(code: str, table: Any) -> Link | list[FieldError]:
    path = f"links.{code}"
    if not CODE.fullmatch(code):
        return [FieldError("format", path, f"{path}: a code has 1 to 64 of the characters A-Z a-z 0-9 _ -")]
    if not isinstance(table, dict):
        return [FieldError("type", path, f"{path} must be a table: [{path}] and then target = ...")]
    try:
        entry = _Entry.model_validate(table)
    except ValidationError as error:
        return [_described(path, detail["type"], detail["loc"], detail["msg"]) for detail in error.errors()]
    problems = list(_problems(code, entry))
    if not problems:
        link = _made(code, entry)
        problems = list(_unfit(link))
    return [FieldError(each.code, f"{path}.{each.path}", f"{path}.{each.message}") for each in problems] or link


def _problems(code: str, entry: _Entry) -> Iterator[FieldError]:
    if problem := target_problem(entry.target):
        yield FieldError("target", "target", f"target {problem}")
    added = (*ADDED, *UTM) if entry.pass_query else ADDED
    for name in sorted(entry.attributes.keys() & set(added)):
        yield FieldError("reserved", f"attributes.{name}", f"attributes.{name} is added by itself: take another name")
    if entry.expires is not None and entry.expires.year < 1971:
        yield FieldError("range", "expires", "expires lies before 1971")


def _made(code: str, entry: _Entry) -> Link:
    given = {name: value for name in FIELDS if (value := getattr(entry, name)) is not None}
    event = {"channel": "link", "touchpoint": TOUCHPOINTS[entry.kind], **given, "attributes": entry.attributes}
    expires = None if entry.expires is None else int(entry.expires.astimezone(UTC).timestamp() * 1000)
    return Link(code, entry.target, entry.kind, event, expires, entry.pass_query)


def _unfit(link: Link) -> Iterator[FieldError]:
    """Why following the link would make a touchpoint that is refused, tried with as much as it can hold."""
    most = {"browser": "", **(dict.fromkeys(UTM, "x" * LONGEST_UTM) if link.pass_query else {})}
    sample = link.touchpoint(datetime.fromtimestamp(0, UTC).isoformat(), most, customer_id="anybody")
    result: Record | Any = validate(sample, 0, "link")
    if not isinstance(result, dict):
        for each in result.errors:
            yield FieldError(each.code, each.path, each.message)
    elif len(to_json(sample)) > EVENT_LIMIT - _ROOM_FOR_IDS:
        yield FieldError("too_large", "attributes", f"attributes hold more than {EVENT_LIMIT // 1024 - 8} KiB")


def _described(path: str, kind: str, location: tuple[int | str, ...], message: str) -> FieldError:
    name = ".".join(str(part) for part in location)
    where = f"{path}.{name}" if name else path
    if kind == "extra_forbidden":
        near = get_close_matches(name, _Entry.model_fields, n=1)
        fix = f"did you mean {near[0]}?" if near else "put it into attributes, as a string"
        return FieldError("unknown_field", where, f"{where} is not known: {fix}")
    if name == "expires":
        fix = "write a time with its offset and no quotes, like 2026-12-31T23:59:59Z"
        return FieldError("time_format", where, f"{where}: {fix}")
    code = "missing" if kind == "missing" else "type"
    return FieldError(code, where, f"{where}: {message[0].lower()}{message[1:]}")
