"""The register of forgotten customers, what it says of records, and by when the topics let go of theirs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.forgotten import Entry, Register, dump_entry, hash_of, load_entry
from pipeline.retention import let_go_after
from sinks import erasure, sql
from sinks.erasure import BLANKED, BY_REVISION, OF_NOBODY, TABLES

SECRET = "a secret"
DAY = 86_400_000


def register(**entries: Entry) -> Register:
    return Register(SECRET, {hash_of(SECRET, key.encode()): entry for key, entry in entries.items()})


def test_only_what_stands_before_the_position_is_gone() -> None:
    known = register(ann=Entry(1, refuse=False, before={"touchpoints": (7, 100), "risk": (7, 5)}))
    assert known.verdict(b"ann", "touchpoints", 7, 99) == "before"
    assert known.verdict(b"ann", "touchpoints", 6, 5_000) == "before"
    assert known.verdict(b"ann", "touchpoints", 7, 100) is None
    assert known.verdict(b"ann", "touchpoints", 8, 0) is None
    assert known.verdict(b"ann", "risk", 7, 4) == "before"
    assert known.verdict(b"ann", "late", 7, 4) is None
    assert known.verdict(b"bob", "touchpoints", 7, 0) is None
    assert known.verdict(None, "rejected", 7, 0) is None


def test_refused_are_later_touchpoints_alone() -> None:
    known = register(ann=Entry(1, refuse=True, before={"touchpoints": (7, 100)}))
    assert known.verdict(b"ann", "touchpoints", 7, 100) == "refused"
    assert known.verdict(b"ann", "customers", 7, 100) is None
    assert known.refuses(b"ann")
    assert not known.refuses(b"bob")
    assert not register(ann=Entry(1, refuse=False)).refuses(b"ann")


def test_without_the_secret_nobody_is_known() -> None:
    hashed = hash_of(SECRET, b"ann")
    assert b"ann" not in hashed
    for secret in ("", "another"):
        assert not Register(secret, {hashed: Entry(1, refuse=True)}).refuses(b"ann")


def test_an_entry_taken_back_counts_no_more() -> None:
    known = register(ann=Entry(1, refuse=True))
    known.put(hash_of(SECRET, b"ann"), None)
    assert (len(known), known.refuses(b"ann")) == (0, False)


def test_an_entry_is_read_as_it_was_written() -> None:
    entry = Entry(5, refuse=True, before={"touchpoints": (7, 100)})
    assert load_entry(dump_entry(entry)) == entry


@pytest.mark.parametrize(
    ("config", "after"),
    [
        ({"retention.ms": str(2 * DAY), "segment.ms": str(DAY)}, timedelta(days=3)),
        ({}, timedelta(days=14)),
        ({"retention.ms": "-1"}, None),
        ({"cleanup.policy": "compact", "max.compaction.lag.ms": str(DAY)}, timedelta(days=1)),
        ({"cleanup.policy": "compact"}, None),
    ],
)
def test_a_topic_lets_go_when_its_files_do(config: dict[str, str], after: timedelta | None) -> None:
    assert let_go_after(config) == after


def test_every_table_is_cleaned_or_known_to_name_nobody() -> None:
    """A migration that adds a table must say in sinks/erasure.py what of a person is in it."""
    made: set[str] = set()
    for name in sql.names("migrations"):
        for statement in sql.statements(sql.read("migrations", name)):
            words = statement[statement.find("CREATE TABLE") :].split()
            if "CREATE TABLE" in statement:
                made.add(words[5])
    assert made == {*TABLES, *BLANKED, *OF_NOBODY}
    assert set(TABLES) == {*BY_REVISION, *erasure._BY_NAME}
    counts = sql.query("forget_counts")
    assert all(f"'{table}'" in counts for table in TABLES)
