"""The file that says when alerts are raised and who is told: what it means, and everything that is wrong with it.

[policy]                              when alerts are raised; all of it may be left out
raise_at = "high"                     or critical
over_at = "medium"                    or low
cooldown_days = 7                     a customer's next alert, unless of a higher level
only_lasting = true                   none for a risk that would pass by itself within three days
absence_hours = 48                    for so long it waits where the reason is that somebody stays away

[destinations.crm]
kind = "webhook"                      signed as Standard Webhooks say; or apprise: chat, mail, pager by URL
url = "https://crm.example/alerts"    or url_env = "NAME", the variable that holds it
secret = "whsec_..."                  of a webhook; or secret_env
timeout_seconds = 10
give_up_hours = 24                    then it becomes a dead letter

[[routes]]
destinations = ["crm"]
levels = ["critical"]                 also channels and segments; empty or left out: any
minimum_value = 500
digest_minutes = 60
quiet_hours = { from = "22:00", to = "07:00", zone = "Europe/Berlin", critical_passes = true }
"""

from __future__ import annotations

import base64
import binascii
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.alerts.policy import DAY, Policy
from pipeline.alerts.quiet import QuietHours
from pipeline.alerts.routes import MINUTE, Destination, Route
from pipeline.model import FieldError

_Level = Literal["high", "critical"]
_CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


@dataclass(frozen=True)
class Plan:
    """When alerts are raised, and who is told."""

    policy: Policy = field(default_factory=Policy)
    destinations: Mapping[str, Destination] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class _Policy(_Part):
    raise_at: _Level = "high"
    over_at: Literal["low", "medium"] = "medium"
    cooldown_days: float = Field(7, ge=0, le=365)
    only_lasting: bool = True
    absence_hours: float = Field(48, ge=0, le=24 * 14)


class _Destination(_Part):
    kind: Literal["webhook", "apprise"]
    url: str | None = None
    url_env: str | None = None
    secret: str | None = None
    secret_env: str | None = None
    timeout_seconds: float = Field(10, gt=0, le=120)
    give_up_hours: float = Field(24, gt=0, le=168)


class _Quiet(_Part):
    begin: str = Field(alias="from", pattern=_CLOCK)
    end: str = Field(alias="to", pattern=_CLOCK)
    zone: str
    critical_passes: bool = False


class _Route(_Part):
    destinations: list[str] = Field(min_length=1)
    levels: list[_Level] = []
    channels: list[str] = []
    segments: list[str] = []
    minimum_value: float | None = None
    digest_minutes: int = Field(0, ge=0, le=1_440)
    quiet_hours: _Quiet | None = None


class _File(_Part):
    policy: _Policy = _Policy()
    destinations: dict[str, _Destination] = {}
    routes: list[_Route] = []


def read(text: str, environment: Mapping[str, str]) -> tuple[Plan, tuple[FieldError, ...]]:
    """The plan of a file's text and its problems; a plan with problems is not to be used. No problem shows a value."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return Plan(), (FieldError("not_toml", "", "not TOML: check its brackets, quotes and equal signs"),)
    try:
        file = _File.model_validate(data)
    except ValidationError as error:
        return Plan(), tuple(_described(detail) for detail in error.errors(include_input=False, include_url=False))
    problems: list[FieldError] = []
    destinations = {name: _destination(name, entry, environment, problems) for name, entry in file.destinations.items()}
    routes = tuple(_route(number, entry, destinations, problems) for number, entry in enumerate(file.routes))
    problems += _unused(destinations, routes)
    given = file.policy
    policy = Policy(
        given.raise_at,
        given.over_at,
        round(given.cooldown_days * DAY),
        given.only_lasting,
        round(given.absence_hours * 60 * MINUTE),
    )
    return Plan(policy, destinations, routes), tuple(problems)


def _destination(
    name: str, entry: _Destination, environment: Mapping[str, str], problems: list[FieldError]
) -> Destination:
    path = f"destinations.{name}"
    url = _given(f"{path}.url", entry.url, entry.url_env, environment, problems)
    secret = b""
    if entry.kind == "webhook":
        if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
            problems.append(FieldError("url", f"{path}.url", f"{path}.url must be an address like https://host/path"))
        secret = _secret(path, entry, environment, problems)
    return Destination(name, entry.kind, url, secret, entry.timeout_seconds, round(entry.give_up_hours * 60 * MINUTE))


def _given(
    path: str, value: str | None, variable: str | None, environment: Mapping[str, str], problems: list[FieldError]
) -> str:
    """A value given in the file or by the name of a variable."""
    if (value is None) == (variable is None):
        problems.append(FieldError("missing", path, f"give one of {path} and {path}_env"))
        return ""
    if variable is None:
        return value or ""
    if not environment.get(variable):
        problems.append(FieldError("missing", f"{path}_env", f"{path}_env: the variable {variable} is not set"))
    return environment.get(variable, "")


def _secret(path: str, entry: _Destination, environment: Mapping[str, str], problems: list[FieldError]) -> bytes:
    given = _given(f"{path}.secret", entry.secret, entry.secret_env, environment, problems)
    try:
        secret = base64.b64decode(given.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if given and not (given.startswith("whsec_") and len(secret) >= 16):
        fix = "write whsec_ and then at least 24 random bytes in base64"
        problems.append(FieldError("secret", f"{path}.secret", f"{path}.secret: {fix}"))
    return secret


def _route(number: int, entry: _Route, destinations: Mapping[str, Destination], problems: list[FieldError]) -> Route:
    path = f"routes.{number}"
    for name in entry.destinations:
        if name not in destinations:
            where = f"{path}.destinations"
            problems.append(FieldError("unknown", where, f"{where}: there is no table [destinations.{name}]"))
    return Route(
        destinations=tuple(entry.destinations),
        levels=frozenset(entry.levels),
        channels=frozenset(entry.channels),
        segments=frozenset(entry.segments),
        minimum_value=entry.minimum_value,
        quiet=_quiet(path, entry.quiet_hours, problems),
        digest=entry.digest_minutes * MINUTE,
    )


def _quiet(path: str, entry: _Quiet | None, problems: list[FieldError]) -> QuietHours | None:
    if entry is None:
        return None
    try:
        zone = ZoneInfo(entry.zone)
    except (ValueError, OSError, LookupError):
        where = f"{path}.quiet_hours.zone"
        problems.append(FieldError("zone", where, f"{where} is no time zone: write one like Europe/Berlin"))
        return None
    return QuietHours(time.fromisoformat(entry.begin), time.fromisoformat(entry.end), zone, entry.critical_passes)


def _unused(destinations: Mapping[str, Destination], routes: tuple[Route, ...]) -> Iterator[FieldError]:
    used = {name for route in routes for name in route.destinations}
    for name in destinations:
        if name not in used:
            path = f"destinations.{name}"
            yield FieldError("unused", path, f"{path} is named by no route: add it to one, or take it out")


def _described(detail: Any) -> FieldError:
    path = ".".join(str(part) for part in detail["loc"])
    if detail["type"] == "extra_forbidden":
        return FieldError("unknown_field", path, f"{path} is not known here")
    words = detail["msg"]
    code = "missing" if detail["type"] == "missing" else "type"
    return FieldError(code, path, f"{path}: {words[0].lower()}{words[1:]}")
