"""An example of a webhook, beside its mapping: the request, and the touchpoints that it must give.

{"event": "orders/create",                 the kind of event it shows
 "headers": {...}, "query": {...},         as the vendor sends them, without the signature
 "body": {...}   or   "form": {...},       as the vendor documents it
 "gives": [{...}, ...],                    the touchpoints, without event_id
 "requires": ["body.created_at", ...]}     paths without which it is refused, by that path
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from pipeline.channels.envelope import Incoming
from pipeline.channels.errors import MappingError

_KEYS = {"event", "headers", "query", "body", "form", "gives", "requires", "about"}


@dataclass(frozen=True)
class Fixture:
    """One example; `body` is JSON, or the fields of a form."""

    name: str
    event: str | None
    headers: dict[str, str]
    query: dict[str, str]
    body: Any
    is_form: bool
    gives: list[dict[str, Any]]
    requires: list[str]

    def incoming(self, body: Any = None) -> Incoming:
        """The request as it comes in, unsigned; with another body if one is given."""
        content = self.body if body is None else body
        kind = "application/x-www-form-urlencoded" if self.is_form else "application/json"
        raw = urlencode(content) if self.is_form else json.dumps(content)
        return Incoming(raw.encode(), {"content-type": kind, **self.headers}, self.query)

    def without(self, path: str) -> Incoming:
        """The request without one thing that it requires. Raises MappingError when it is not there anyway."""
        where, *steps = path.split(".")
        if where == "headers":
            name = ".".join(steps)
            headers = {key: value for key, value in self.headers.items() if key != name}
            return Incoming(self.incoming().body, {"content-type": "application/json", **headers}, self.query)
        body = copy.deepcopy(self.body)
        target = (_first(body, steps[0]) or body) if where == "item" else body
        for step in steps[:-1]:
            target = _step(target, step)
        if not isinstance(target, dict) or steps[-1] not in target:
            raise MappingError(f"{self.name}: requires: {path} is not in the example")
        del target[steps[-1]]
        return self.incoming(body)


def _step(value: Any, step: str) -> Any:
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    return value.get(step) if isinstance(value, dict) else None


def _first(body: Any, step: str) -> Any:
    """The first item of a request: of all lists in it, the first that begins with something that has this member.

    None when there is no such list: the body itself may be the item then.
    """
    if isinstance(body, list) and body:
        return body[0] if isinstance(body[0], dict) and step in body[0] else _first(body[0], step)
    if isinstance(body, dict):
        found = (_first(value, step) for value in body.values())
        return next((item for item in found if item is not None), None)
    return None


def is_fixture(raw: bytes) -> bool:
    """Whether this looks like an example, and not like a body itself."""
    try:
        given = json.loads(raw)
    except ValueError:
        return False
    return isinstance(given, dict) and "gives" in given and not set(given) - _KEYS


def read_fixture(file: Path) -> Fixture:
    """Read one. Raises MappingError that names the file and the fix."""
    try:
        given = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise MappingError(f"{file}: {error}") from error
    if not isinstance(given, dict) or not isinstance(given.get("gives"), list):
        raise MappingError(
            f"{file}: an example is an object with body (or form) and gives: see `touchline channels check`"
        )
    if unknown := sorted(set(given) - _KEYS):
        raise MappingError(f"{file}: {unknown[0]} is not known in an example: {', '.join(sorted(_KEYS))}")
    return Fixture(
        name=file.stem,
        event=given.get("event"),
        headers={name.lower(): value for name, value in given.get("headers", {}).items()},
        query=given.get("query", {}),
        body=given["form"] if "form" in given else given.get("body"),
        is_form="form" in given,
        gives=given["gives"],
        requires=given.get("requires", []),
    )


def read_fixtures(folder: Path) -> list[Fixture]:
    """Every example of a source, by name; none when there is no folder."""
    return [read_fixture(file) for file in sorted(folder.glob("*.json"))] if folder.is_dir() else []
