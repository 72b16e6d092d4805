"""Sorting more entries than fit into memory: sorted runs in files, merged while they are read."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Self

import msgspec

RUN_BYTES = 96 * 1024 * 1024
_ENTRY_OVERHEAD = 300
_BLOCK_ENTRIES = 500
_LENGTH_BYTES = 4


class Entry(NamedTuple):
    """A record on its way, in the order that sorting gives: by time, then content, then line.

    `digest` is that of the content where the event came without an id, so that identical lines stand together.
    """

    occurred_at: int
    digest: bytes
    line: int
    key: bytes
    value: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Entry]).decode


class Sorter:
    """Takes entries in any order and gives them back in order; memory is bounded whatever their number.

    They may be gone through several times, once all have been taken.
    """

    def __init__(self, run_bytes: int = RUN_BYTES) -> None:
        self._run_bytes = run_bytes
        self._folder = tempfile.TemporaryDirectory(prefix="touchline-backfill-")
        self._runs: list[Path] = []
        self._entries: list[Entry] = []
        self._bytes = 0

    def add(self, entry: Entry) -> None:
        """Take one entry."""
        self._entries.append(entry)
        self._bytes += len(entry.value) + len(entry.key) + _ENTRY_OVERHEAD
        if self._bytes >= self._run_bytes:
            self._spill()

    def __iter__(self) -> Iterator[Entry]:
        self._entries.sort()
        if not self._runs:
            return iter(self._entries)
        return heapq.merge(self._entries, *(_read(run) for run in self._runs))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def _spill(self) -> None:
        self._entries.sort()
        run = Path(self._folder.name) / str(len(self._runs))
        with run.open("wb") as file:
            for start in range(0, len(self._entries), _BLOCK_ENTRIES):
                block = _encode(self._entries[start : start + _BLOCK_ENTRIES])
                file.write(len(block).to_bytes(_LENGTH_BYTES, "big") + block)
        self._runs.append(run)
        self._entries = []
        self._bytes = 0


def _read(run: Path) -> Iterator[Entry]:
    with run.open("rb") as file:
        while block := _block(file):
            yield from block


def _block(file: BinaryIO) -> list[Entry]:
    head = file.read(_LENGTH_BYTES)
    return _decode(file.read(int.from_bytes(head, "big"))) if head else []
