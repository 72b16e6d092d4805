"""A webhook's request as signatures and mappings see it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import parse_qsl, unquote

from pipeline.model import FieldError
from pipeline.parsing import parse

Format = Literal["json", "form", "cloudevents"]


@dataclass(frozen=True)
class Incoming:
    """What came in: `headers` by small name, `url` as the sender wrote it, `body` the raw bytes."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    method: str = "POST"

    @property
    def form(self) -> list[tuple[str, str]]:
        """The fields of a form, in their order. Raises ValueError for a body that is none."""
        return parse_qsl(self.body.decode(), keep_blank_values=True, max_num_fields=1_000)


def read(incoming: Incoming, how: Format) -> tuple[Any, FieldError | None]:
    """The body as JSON values, or why it is none. Events in CloudEvents' binary form get the structured one."""
    if how == "form":
        return _form(incoming)
    if how == "cloudevents":
        return _cloudevents(incoming)
    return parse(incoming.body)


def _form(incoming: Incoming) -> tuple[Any, FieldError | None]:
    try:
        return dict(incoming.form), None
    except ValueError as error:
        return None, FieldError("not_form", "", f"not a form (application/x-www-form-urlencoded): {error}")


_STRUCTURED = "application/cloudevents+json"
_BATCH = "application/cloudevents-batch+json"
_ATTRIBUTE = "ce-"


def _cloudevents(incoming: Incoming) -> tuple[Any, FieldError | None]:
    """CloudEvents 1.0 over HTTP: binary, structured or a batch; the result is always a list of structured events."""
    kind = incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in {_STRUCTURED, _BATCH}:
        return _structured(incoming.body, kind)
    attributes = {
        name.removeprefix(_ATTRIBUTE): unquote(value)
        for name, value in incoming.headers.items()
        if name.startswith(_ATTRIBUTE) and name != _ATTRIBUTE
    }
    if "specversion" not in attributes:
        fix = f"send the header ce-specversion, or Content-Type {_STRUCTURED} or {_BATCH}"
        return None, FieldError("not_cloudevents", "ce-specversion", f"not a CloudEvent: {fix}")
    data, problem = parse(incoming.body) if incoming.body else (None, None)
    return [{**attributes, "data": data}], problem


def _structured(body: bytes, kind: str) -> tuple[Any, FieldError | None]:
    given, problem = parse(body)
    if problem is not None:
        return None, problem
    if kind == _BATCH and isinstance(given, list):
        return given, None
    if kind == _STRUCTURED and isinstance(given, dict):
        return [given], None
    fix = f"{_STRUCTURED} is one event, an object; {_BATCH} is an array of them"
    return None, FieldError("not_cloudevents", "", f"not CloudEvents: {fix}")


class Kept(NamedTuple):
    """A request that was kept because its touchpoint of this number was refused."""

    incoming: Incoming
    number: int


def kept(incoming: Incoming, used_headers: tuple[str, ...], number: int) -> bytes:
    """A request as a dead letter keeps it: enough to map it again, and no header that the mapping does not read."""
    headers = {
        name: value for name, value in incoming.headers.items() if name in used_headers or name.startswith(_ATTRIBUTE)
    }
    webhook = {"headers": headers, "query": dict(incoming.query), "touchpoint": number}
    text = incoming.body.decode("utf-8", "backslashreplace")
    return json.dumps({"webhook": webhook, "body": text}, ensure_ascii=False).encode("utf-8", "backslashreplace")


def restored(original: bytes) -> Kept | None:
    """A request that was kept; None for anything else."""
    given, problem = parse(original)
    if problem is not None or not isinstance(given, dict):
        return None
    webhook, body = given.get("webhook"), given.get("body")
    if not isinstance(webhook, dict) or not isinstance(body, str):
        return None
    number = webhook.get("touchpoint")
    incoming = Incoming(body.encode(), _texts(webhook.get("headers")), _texts(webhook.get("query")))
    return Kept(incoming, number if isinstance(number, int) else 0)


def _texts(given: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
