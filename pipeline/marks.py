"""Positions in a log, written down so that they can be told from the same positions in another log. Pure.

A topic may be made anew, or lose its end, and grow past a position that somebody noted before; the number alone would
then skip what came in between. So a mark also says which epoch it is of, and what the last record before it was.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple, Protocol

_HEAD = struct.Struct(">qqi")


class Written(Protocol):
    """The part of a record, as Kafka's client hands it out, that a digest is made of."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


class Check(NamedTuple):
    """A record as a mark remembers it: its offset, and a digest of it (see `check_of`)."""

    offset: int
    digest: int


NO_CHECK = Check(-1, 0)
"""Where no record was seen."""


class States(NamedTuple):
    """How far the changelog of states reached: its epoch, and the position after the last state written."""

    epoch: int
    position: int


@dataclass(frozen=True)
class Mark:
    """All before `position` is done, in the log of this epoch.

    `epoch` is None in marks of a version that did not note it; they are taken for marks of the current epoch. `check`
    is the last record before the position, None where none was ever seen. `states` stands in marks of the customers
    agent only.
    """

    epoch: int | None
    position: int
    check: Check | None = None
    states: States | None = None


@dataclass(frozen=True)
class Log:
    """What stands in a partition now: offsets from `first` up to, not including, `end`.

    `held` is the record at the offset of a mark's check, None where there is none. In a compacted log records vanish
    within these bounds; in others only below `first`.
    """

    first: int
    end: int
    compacted: bool
    held: Check | None = None


class Start(NamedTuple):
    """Where reading starts, and the last record before it, where there is one and it was looked at."""

    position: int
    check: Check | None = None


class Verdict(Enum):
    """Where reading starts."""

    GO_ON = "at the mark"
    BEGIN = "at the log's beginning: the mark is of an epoch that is over"
    ANOTHER_LOG = "at the log's beginning, in a new epoch: this is not the log of the mark, though its epoch is"


def check_of(record: Written) -> Check:
    """The record's offset, and eight bytes of BLAKE2b over its offset, timestamp, key and value."""
    key, value = record.key, record.value
    head = _HEAD.pack(record.offset, record.timestamp, -1 if key is None else len(key))
    body = b"\x00" if value is None else b"\x01" + value
    digest = blake2b(head + (key or b"") + body, digest_size=8).digest()
    return Check(record.offset, int.from_bytes(digest))


def judge(mark: Mark, epoch: int, log: Log) -> Verdict:
    """Say whether a mark may be trusted, `epoch` being the topic's current one.

    What cannot be looked at any more (below the log's first offset, or compacted away) speaks against nothing.
    """
    if mark.epoch is not None and mark.epoch < epoch:
        return Verdict.BEGIN
    if mark.epoch is not None and mark.epoch > epoch:
        return Verdict.ANOTHER_LOG
    if mark.position > log.end:
        return Verdict.ANOTHER_LOG
    if mark.check is None or mark.check.offset < log.first:
        return Verdict.GO_ON
    if log.held is None:
        return Verdict.GO_ON if log.compacted else Verdict.ANOTHER_LOG
    return Verdict.GO_ON if log.held == mark.check else Verdict.ANOTHER_LOG


def states_are_whole(mark: Mark, epoch: int, end: int) -> bool:
    """Tell whether the changelog, of this epoch and ending there, still holds the states that the mark goes with."""
    return mark.states is None or (mark.states.epoch == epoch and mark.states.position <= end)


def to_metadata(mark: Mark) -> str:
    """Everything but the position as Kafka keeps it beside a committed offset."""
    return json.dumps({"epoch": mark.epoch, "check": mark.check, "states": mark.states}, separators=(",", ":"))


def from_metadata(position: int, metadata: str | None) -> Mark:
    """The mark of a committed offset; where its metadata are not ours, the position alone."""
    try:
        known = json.loads(metadata or "{}")
        check, states = known.get("check"), known.get("states")
        return Mark(known.get("epoch"), position, check and Check(*check), states and States(*states))
    except (ValueError, TypeError, AttributeError):
        return Mark(None, position)
