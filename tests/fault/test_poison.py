"""Poison of every kind amid ordinary traffic: each is refused alone, with its reason, and everything else lands."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from schemas.block import long
from schemas.codec import HEADER_BYTES, Encoder, header
from schemas.contracts import latest
from tests.clickstream import JOURNEY_GAP, VISIT_GAP, Click, clicks, spans
from tests.command import touchline
from tests.fault.straight import record_of, straight, until_applied, until_ready
from tests.integration.test_backfill_journeys import seen

pytestmark = pytest.mark.fault

ROWS, CUSTOMERS, EVERY = 24_000, 400, 60
GIANT = 8 * 1024 * 1024 - 70_000
"""Just below what the broker takes."""

Poison = Callable[[bytes, random.Random], bytes]
"""From a good value to a bad one."""


def _lying(value: bytes, length: int) -> bytes:
    """The value with a channel that says to be so long."""
    at = value.index(b"\x06web")
    return value[:at] + long(length) + value[at + 1 :]


def _padded_to_giant(attribute: bytes) -> Poison:
    """The value with one attribute as large as can be; map and string are written as Avro does."""

    def make(value: bytes, _: random.Random) -> bytes:
        at = value.rindex(b"\x02\x08page")
        return value[: at + 6] + long(len(attribute)) + attribute + value[at + 8 :]

    return make


NO_TEXT = "large that is no text"
"""It fits its schema, so ClickHouse keeps it as it is; the customers agent alone refuses it."""

KINDS: dict[str, tuple[str, Poison]] = {
    "random bytes": ("framing", lambda _, rng: b"\x01" + rng.randbytes(200)),
    "empty": ("framing", lambda *_: b""),
    "half a framing": ("framing", lambda value, _: value[:3]),
    "random body": ("body", lambda value, rng: value[:HEADER_BYTES] + rng.randbytes(150)),
    "no body": ("body", lambda value, _: value[:HEADER_BYTES]),
    "a byte too long": ("body", lambda value, _: value + b"x"),
    "two bytes too long": ("body", lambda value, _: value + b"xy"),
    "three bytes too long": ("body", lambda value, _: value + b"\x00\x00\x00"),
    "a byte too short": ("body", lambda value, _: value[:-1]),
    "two bytes too short": ("body", lambda value, _: value[:-2]),
    "three bytes too short": ("body", lambda value, _: value[:-3]),
    "a length that lies": ("body", lambda value, _: _lying(value, 2**30)),
    "a length that lies a little": ("body", lambda value, rng: _lying(value, rng.randint(500, 5_000))),
    "a negative length": ("body", lambda value, _: _lying(value, -7)),
    "no schema's id": ("schema_id", lambda value, _: header(999_999) + value[HEADER_BYTES:]),
    "another topic's id": ("schema_id", lambda value, _: header(latest("risk").schema_id) + value[HEADER_BYTES:]),
    "giant": ("too_large", _padded_to_giant(b"g" * GIANT)),
    "giant garbage": ("too_large", lambda value, rng: value[:HEADER_BYTES] + rng.randbytes(GIANT)),
    "giant that is no text": ("too_large", _padded_to_giant(b"\xff" * GIANT)),
    NO_TEXT: ("body", _padded_to_giant(b"\xff" * 60_000)),
}


async def test_each_poison_is_refused_alone_and_all_else_lands(tmp_path: Path) -> None:
    rows = clicks(CUSTOMERS, ROWS, seed=17, days=60)
    data = tmp_path / "stack"
    settings = Settings(collector_port=0, collector_private_port=0)
    async with Installation(settings, data, on_event=lambda _: None) as installation:
        endpoints = installation.endpoints
        expected = await mixed(endpoints.kafka_url, rows)
        assert len(expected) == ROWS // EVERY
        await until_applied(endpoints.kafka_url)
        audit = await touchline("audit", "--data", str(data), "--json", "--deep")
        assert audit.status == 0, audit.output
        found = await dead_letters(data)
        assert found.keys() == expected.keys()
        wrong = [(kind, found[place]) for place, (kind, code) in expected.items() if found[place] != code]
        assert wrong == []
        lines = [line for line in audit.json()["partitions"] if line["topic"] == "touchpoints"]
        kept = sum(kind == NO_TEXT for kind, _ in expected.values())
        assert sum(line["dead_letters"] for line in lines) == len(expected) - kept
        assert sum(line["landed"] for line in lines) == ROWS + kept
        assert await seen(data, "visits") == spans(rows, VISIT_GAP)
        assert await seen(data, "journeys") == spans(rows, JOURNEY_GAP)
        for role in ("customers", "landing"):
            await until_ready(endpoints.extra["health"][role], lambda status, _: status == 200)


async def mixed(kafka_url: str, rows: list[Click]) -> dict[tuple[int, int], tuple[str, str]]:
    """Send the rows, every EVERY-th with a poison behind it, of each kind in turn; where each is, and kind and code."""
    rng, kinds, encode = random.Random(2), list(KINDS), Encoder("touchpoints")
    sent: list[tuple[asyncio.Future[object], str, str]] = []
    async with straight(kafka_url) as sender:
        for number, row in enumerate(rows):
            record = record_of(row, attributes={"page": "/"})
            await sender.send(record)
            if number % EVERY == 0:
                kind = kinds[number // EVERY % len(kinds)]
                code, spoil = KINDS[kind]
                poison = spoil(encode(record_of(row, attributes={"page": "/"})), rng)
                sent.append((await sender.send_raw(row.customer_id.encode(), poison), kind, code))
        await sender.flush()
    return {(place.result().partition, place.result().offset): (kind, code) for place, kind, code in sent}  # type: ignore[attr-defined]


async def dead_letters(data: Path) -> dict[tuple[int, int], str]:
    query = "SELECT partition, offset, code FROM rejected WHERE topic = 'touchpoints'"
    answer = await touchline("sql", query, "--format", "JSONCompactEachRow", "--data", str(data))
    rows = [json.loads(line) for line in answer.output.splitlines()]
    found = {(int(partition), int(offset)): code for partition, offset, code in rows}
    assert len(found) == len(rows)
    return found
