"""Where the write key of a call in Segment's manner is found, and that it goes no further."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from pipeline.channels.envelope import Incoming
from pipeline.collector.segment import understood

NOW = 1_772_366_400_250
BASIC = "Basic " + base64.b64encode(b"wk_basic:").decode()


def taken(body: Any, authorization: str | None = None, kind: str | None = "track") -> Incoming:
    headers = {} if authorization is None else {"authorization": authorization}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return understood(Incoming(raw, headers, {"type": "forged", "v": "1"}), NOW, kind)


@pytest.mark.parametrize(
    ("body", "authorization", "wanted"),
    [
        ({}, BASIC, BASIC),
        ({"writeKey": "wk_body"}, None, "Bearer wk_body"),
        ({"writeKey": "wk_body"}, BASIC, BASIC),
        ({"writeKey": "wk\r\nX: y"}, None, None),
        ({"writeKey": 7}, None, None),
        ([{"writeKey": "wk_body"}], None, None),
        (b'{"writeKey": ', None, None),
        ({}, None, None),
    ],
)
def test_the_key_is_put_where_keys_are_looked_for(body: Any, authorization: str | None, wanted: str | None) -> None:
    assert taken(body, authorization).headers.get("authorization") == wanted


def test_no_key_stays_in_a_body() -> None:
    event = {"event": "Song Played", "properties": {"title": "ünwritten"}}
    given = {"batch": [{**event, "writeKey": "wk_1"}, 7], "writeKey": "wk_1", "sentAt": "2026-03-01T12:00:00Z"}
    body = json.loads(taken(given).body)
    assert body == {"batch": [event, 7], "sentAt": "2026-03-01T12:00:00Z"}


def test_a_body_without_a_key_stays_as_it_is() -> None:
    raw = b'{ "event":"A", "n":1e400 }'
    assert taken(raw, BASIC).body is raw


def test_the_path_says_the_type_and_the_query_cannot() -> None:
    assert taken({}).query == {"type": "track", "v": "1", "received_at": "2026-03-01T12:00:00.250+00:00"}
