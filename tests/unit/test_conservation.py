"""The audit's arithmetic on worked examples."""

from __future__ import annotations

from pipeline.conservation import Account, account, covered, is_complete, remembered
from pipeline.log_reader import Span
from sinks.ledger import Landed


def landed(first: int, after: int, rows: int, refused: int = 0) -> Landed:
    return Landed("t", 1, 0, first, after, rows, refused)


def test_ranges_without_gaps_need_no_look_at_the_log() -> None:
    entries = [landed(0, 10, 9, 1), landed(10, 20, 10)]
    assert is_complete(Span(0, 20), entries)
    assert is_complete(Span(5, 15), entries)
    assert not is_complete(Span(0, 21), entries)
    assert account(Span(0, 20), entries, None, [3]) == Account(20, 19, 1, 0, 0)


def test_gaps_of_the_log_are_no_difference() -> None:
    entries = [landed(0, 10, 7, 1)]
    assert not is_complete(Span(0, 10), entries)
    assert account(Span(0, 10), entries, [0, 1, 2, 4, 5, 6, 7, 8], [4]) == Account(8, 7, 1, 0, 0)


def test_a_range_landed_twice_counts_once() -> None:
    entries = [landed(0, 10, 10), landed(0, 10, 10), landed(5, 12, 7), landed(2, 4, 2)]
    assert covered(Span(0, 12), entries) == 12
    assert account(Span(0, 12), entries, list(range(12)), []) == Account(12, 12, 0, 0, 0)


def test_a_hole_between_ranges_is_a_difference_where_the_log_has_records() -> None:
    entries = [landed(0, 5, 5), landed(8, 10, 2)]
    assert account(Span(0, 10), entries, list(range(10)), []) == Account(10, 7, 0, 0, 3)
    assert account(Span(0, 10), entries, [0, 1, 2, 3, 4, 8, 9], []) == Account(7, 7, 0, 0, 0)


def test_an_entry_that_is_silent_about_records_of_its_range_is_a_difference() -> None:
    assert account(Span(0, 10), [landed(0, 10, 6)], list(range(10)), []) == Account(10, 6, 0, 0, 4)


def test_records_not_landed_yet_are_a_difference() -> None:
    assert account(Span(0, 10), [], list(range(10)), []) == Account(10, 0, 0, 0, 10)


def test_dead_letters_of_a_range_cut_by_the_logs_start_are_those_known_beyond_it() -> None:
    entries = [landed(0, 10, 7, 3)]
    assert account(Span(4, 10), entries, None, [1, 2, 6]) == Account(6, 5, 1, 0, 0)


def test_what_retention_deleted_before_it_landed_has_expired() -> None:
    entries = [landed(0, 3, 3), landed(10, 12, 2)]
    assert account(Span(10, 12), entries, None, []) == Account(2, 2, 0, 7, 0)


def test_an_empty_partition_is_complete() -> None:
    assert is_complete(Span(0, 0), [])
    assert account(Span(0, 0), [], None, []) == Account(0, 0, 0, 0, 0)


def test_a_log_that_is_gone_is_counted_from_the_ledger() -> None:
    entries = [landed(0, 10, 8, 1), landed(0, 10, 8, 1), landed(10, 12, 2)]
    assert remembered(Span(0, 12), entries) == Account(11, 10, 1, 0, 0)
