"""The arithmetic of the audit: one partition's log against the ledger's ranges. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.log_reader import Span
from sinks.ledger import Landed


@dataclass(frozen=True)
class Account:
    """What became of one partition's records.

    Of `records` in the log, `landed` are rows and `dead_letters` were refused; `difference` are the rest.
    `expired` offsets below the log's start never landed: at most so many records were deleted before anybody
    read them.
    """

    records: int
    landed: int
    dead_letters: int
    expired: int
    difference: int


@dataclass(frozen=True)
class Piece:
    """Part of a ledger's range that no earlier range covers."""

    first: int
    end: int
    entry: Landed

    @property
    def is_whole(self) -> bool:
        """Tell whether it is the whole range, so that the entry's counts are its own."""
        return (self.first, self.end) == (self.entry.first_offset, self.entry.next_offset)


def pieces(span: Span, entries: Sequence[Landed]) -> Iterator[Piece]:
    """Yield the union of the ranges within the span, in order and without overlaps."""
    reached = span.first
    for entry in sorted(entries, key=lambda entry: (entry.first_offset, -entry.next_offset)):
        first, end = max(entry.first_offset, reached), min(entry.next_offset, span.end)
        if first < end:
            yield Piece(first, end, entry)
            reached = end


def covered(span: Span, entries: Sequence[Landed]) -> int:
    """Return how many offsets of the span lie in a range."""
    return sum(piece.end - piece.first for piece in pieces(span, entries))


def is_complete(span: Span, entries: Sequence[Landed]) -> bool:
    """Tell whether the ledger alone proves the span: every offset is a record that landed or was refused."""
    return covered(span, entries) == span.end - span.first and all(
        piece.entry.rows + piece.entry.refused == piece.entry.next_offset - piece.entry.first_offset
        for piece in pieces(span, entries)
    )


def account(span: Span, entries: Sequence[Landed], offsets: Sequence[int] | None, refused: Sequence[int]) -> Account:
    """Settle one partition. Both sequences are sorted.

    `offsets` are those of the log's records within the span, None where `is_complete` makes reading them
    needless; `refused` are the offsets of the dead letters that ClickHouse knows of this partition.
    """
    parts = list(pieces(span, entries))
    expired = span.first - covered(Span(0, span.first), entries)
    dead = sum(_dead_letters(piece, refused) for piece in parts)
    if offsets is None:
        records = span.end - span.first
        return Account(records, records - dead, dead, expired, 0)
    reached = sum(_within(offsets, piece.first, piece.end) for piece in parts)
    missing = sum(_shortage(entry, span, offsets) for entry in entries)
    dead = min(dead, reached)
    landed = reached - dead - missing
    return Account(len(offsets), landed, dead, expired, len(offsets) - landed - dead)


def remembered(span: Span, entries: Sequence[Landed]) -> Account:
    """Settle a partition that only the ledger remembers."""
    parts = list(pieces(span, entries))
    dead = sum(_dead_letters(piece, ()) for piece in parts)
    landed = sum(piece.entry.rows if piece.is_whole else piece.end - piece.first for piece in parts)
    return Account(landed + dead, landed, dead, expired=0, difference=0)


def _dead_letters(piece: Piece, refused: Sequence[int]) -> int:
    known = piece.entry.refused
    return known if piece.is_whole or not known else min(known, _within(refused, piece.first, piece.end))


def _shortage(entry: Landed, span: Span, offsets: Sequence[int]) -> int:
    """Return how many records of a range its entry is silent about; 0 where the log shows only part of it."""
    if entry.first_offset < span.first or entry.next_offset > span.end:
        return 0
    held = _within(offsets, entry.first_offset, entry.next_offset)
    return max(0, held - entry.rows - entry.refused)


def _within(sorted_offsets: Sequence[int], first: int, end: int) -> int:
    return bisect_left(sorted_offsets, end) - bisect_left(sorted_offsets, first)
