"""The block that landing inserts: many Kafka values joined, undecoded, into one Avro container file.

ClickHouse reads the container as it reads any Avro file. Each body is framed by its offset, before and after: a body
too long or too short by some bytes makes the two disagree, and the table's columns refuse the block (see the
migrations), so one bad body can never shift or invent its neighbours.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Protocol

from schemas.contracts import Avro, Contract, by_id
from schemas.framing import HEADER_BYTES

_SYNC = bytes(16)
_MAGIC = b"Obj\x01"


class Value(Protocol):
    """What a block needs of a Kafka record."""

    offset: int
    value: bytes | None


def long(number: int) -> bytes:
    """An Avro long: zigzag, then seven bits a byte, the lowest first."""
    rest = (number << 1) ^ (number >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append((rest & 0x7F) | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def bodies(epoch: int, partition: int, records: Iterable[Value]) -> list[bytes]:
    """The framed bodies of one partition's records, to be joined by `container`. Values must not be null."""
    position = long(epoch) + long(partition)
    parts: list[bytes] = []
    for record in records:
        offset = long(record.offset)
        parts += (position, offset, record.value[HEADER_BYTES:], offset)  # type: ignore[index]
    return parts


def container(contract: Contract, count: int, parts: Sequence[bytes]) -> bytes:
    """One Avro container file of `count` records of the contract, each as `bodies` framed it."""
    size = sum(map(len, parts))
    return b"".join([_head(contract.schema_id), long(count), long(size), *parts, _SYNC])


@cache
def _head(schema_id: int) -> bytes:
    contract = by_id(schema_id)
    assert contract is not None  # noqa: S101 (ids come from contracts only)
    schema = json.dumps(landing_schema(contract)).encode()
    meta = long(2) + _bytes(b"avro.schema") + _bytes(schema) + _bytes(b"avro.codec") + _bytes(b"null") + long(0)
    return _MAGIC + meta + _SYNC


def _bytes(value: bytes) -> bytes:
    return long(len(value)) + value


def landing_schema(contract: Contract) -> Avro:
    """The contract's schema with the record's position around its own fields."""

    def field(name: str, kind: str) -> Avro:
        return {"name": name, "type": kind}

    before = [field("kafka_epoch", "long"), field("kafka_partition", "int"), field("offset_before", "long")]
    return {**contract.schema, "fields": [*before, *contract.schema["fields"], field("offset_after", "long")]}
