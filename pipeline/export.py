"""All that is held on one person, as one JSON object: what an answer to a request for access is made of.

Nothing is changed. Held is what the installation keeps itself: the rows of ClickHouse, the dead letters that speak of
the person, and the states of the agents. What topics hold beside, until retention takes it, is what the rows were made
of.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from pipeline.alerts import standing
from pipeline.compacted import last_values
from pipeline.forget import Wanted, dead_letters
from pipeline.log_reader import log_reader
from pipeline.state import load as load_state
from pipeline.topics import ALERTS_CHANGELOG, CHANGELOG
from schemas.ids import LOCAL, Ids
from sinks import sql
from sinks.clickhouse import Client
from sinks.erasure import Erasure

VIEWS = ("touchpoints", "visits", "journeys", "customers", "risk", "alerts", "late_touchpoints")
"""The views that have rows under a customer's key."""
_MOST_IDS = 200


async def export(kafka_url: str, clickhouse: Client, wanted: Wanted, ids: Ids = LOCAL) -> dict[str, Any]:
    """All that is held on the person whom the key belongs to, linked anonymous ids included."""
    erasure = Erasure(clickhouse)
    keys = await erasure.keys(wanted.customer)
    letters = await dead_letters(erasure, keys, wanted, ids)
    return {
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "customer": wanted.customer,
        "keys": keys,
        **{view: await _rows(clickhouse, "export_rows", {"view": view, "keys": keys}) for view in VIEWS},
        "identities": await _rows(clickhouse, "export_identities", {"keys": keys}),
        "rejected": await _dead_letters(clickhouse, letters),
        "states": await _states(kafka_url, keys),
    }


def held(exported: Mapping[str, Any]) -> dict[str, int]:
    """By section, how many rows or states an export has."""
    return {name: len(part) for name, part in exported.items() if name != "keys" and isinstance(part, list | dict)}


async def _rows(clickhouse: Client, query: str, parameters: Mapping[str, Any]) -> list[Any]:
    body = await clickhouse.raw(sql.query(query), parameters, fmt="JSONEachRow")
    return [json.loads(line) for line in body.splitlines()]


async def _dead_letters(clickhouse: Client, letters: Sequence[str]) -> list[Any]:
    found: list[Any] = []
    for first in range(0, len(letters), _MOST_IDS):
        asked = {"dead_letters": list(letters[first : first + _MOST_IDS])}
        found += await _rows(clickhouse, "export_dead_letters", asked)
    return found


async def _states(kafka_url: str, keys: Sequence[str]) -> dict[str, Any]:
    """By key, what the agents remember: of the customer, and of alerts about them."""
    async with log_reader(kafka_url) as log:
        partitions = {tp.partition for tp in await log.spans(["touchpoints"])}
    asked = [key.encode() for key in keys]
    customers = await last_values(kafka_url, CHANGELOG, asked, partitions)
    alerts = await last_values(kafka_url, ALERTS_CHANGELOG, asked, partitions)
    found: dict[str, Any] = {}
    for key in keys:
        parts: dict[str, Any] = {}
        if (value := customers.get(key.encode())) is not None:
            parts["customer"] = _named(load_state(value))
        if (value := alerts.get(key.encode())) is not None:
            parts["alerts"] = _named(standing.load(value))
        if parts:
            found[key] = parts
    return found


def _named(value: Any) -> Any:
    """A state with the names of its fields, bytes as hexadecimal."""
    if isinstance(value, msgspec.Struct):
        return {name: _named(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: _named(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_named(each) for each in value]
    return value
