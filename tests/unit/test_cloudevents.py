"""CloudEvents over HTTP, in each of their three modes, become one list of structured events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.channels.envelope import Incoming, read

EVENT = {"specversion": "1.0", "type": "tea", "source": "/kitchen", "id": "1", "data": {"cup": "blue"}}
STRUCTURED = "application/cloudevents+json; charset=utf-8"
BATCH = "Application/CloudEvents-Batch+JSON"
BINARY = {"ce-specversion": "1.0", "ce-type": "tea", "ce-source": "/kitchen", "ce-id": "1"}


def events(body: Any, **headers: str) -> tuple[Any, str | None]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    found, problem = read(
        Incoming(raw, {name.replace("_", "-"): value for name, value in headers.items()}), "cloudevents"
    )
    return (found, None) if problem is None else (None, problem.code)


def test_each_mode() -> None:
    assert events(EVENT, content_type=STRUCTURED) == ([EVENT], None)
    assert events([EVENT, EVENT], content_type=BATCH) == ([EVENT, EVENT], None)
    assert events([], content_type=BATCH) == ([], None)
    assert events(EVENT["data"], content_type="application/json", **BINARY) == ([EVENT], None)
    assert events(b"", **BINARY) == ([{**EVENT, "data": None}], None)


def test_headers_are_percent_decoded() -> None:
    [found], _ = events(b"{}", **{**BINARY, "ce-subject": "Euro%20%E2%82%AC"})
    assert found["subject"] == "Euro €"


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        ([EVENT], {"content_type": STRUCTURED}, "not_cloudevents"),
        (EVENT, {"content_type": BATCH}, "not_cloudevents"),
        ("tea", {"content_type": STRUCTURED}, "not_cloudevents"),
        (EVENT, {"content_type": "application/json"}, "not_cloudevents"),
        (b"{", {"content_type": STRUCTURED}, "not_json"),
        (b"{", BINARY, "not_json"),
    ],
)
def test_what_is_none_says_so(body: Any, headers: dict[str, str], code: str) -> None:
    assert events(body, **headers) == (None, code)
