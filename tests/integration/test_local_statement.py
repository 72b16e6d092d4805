"""Where a statement ends and an insert's data begin."""

from __future__ import annotations

import pytest

from pipeline.local.statement import Insert, Query, Refused, split


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"INSERT INTO t FORMAT Native\n\x01\n\n;", ("INSERT INTO t ", "", "Native", b"\x01\n\n;")),
        (b"INSERT INTO t FORMAT Native \r\n  x", ("INSERT INTO t ", "", "Native", b"  x")),
        (b"insert into t (a, `b)`) format CSV\n1", ("insert into t (a, `b)`) ", "", "CSV", b"1")),
        (b"INSERT INTO format FORMAT CSV\n", ("INSERT INTO format ", "", "CSV", b"")),
        (b"INSERT INTO db.values VALUES (1)", ("INSERT INTO db.values ", "", "Values", b" (1)")),
        (b"INSERT INTO `t FORMAT x` (a) FORMAT TSV", ("INSERT INTO `t FORMAT x` (a) ", "", "TSV", b"")),
        (
            b"INSERT INTO t SETTINGS a='FORMAT', b=1 FORMAT CSV\n",
            ("INSERT INTO t ", "SETTINGS a='FORMAT', b=1 ", "CSV", b""),
        ),
        (
            b"INSERT INTO FUNCTION null('x FORMAT y') FORMAT CSV\n",
            ("INSERT INTO FUNCTION null('x FORMAT y') ", "", "CSV", b""),
        ),
        (
            b"-- FORMAT a\nINSERT INTO t /* VALUES */ FORMAT CSV\n",
            ("-- FORMAT a\nINSERT INTO t /* VALUES */ ", "", "CSV", b""),
        ),
    ],
)
def test_inserts(sent: bytes, expected: tuple[str, str, str, bytes]) -> None:
    found = split(sent)
    assert isinstance(found, Insert)
    assert (found.text, found.settings, found.format, found.data) == expected


@pytest.mark.parametrize(
    ("sent", "rows"),
    [
        (b"SELECT 'a;b' -- ;\n;", True),
        (b"(SELECT 1)", True),
        (b"INSERT INTO t SELECT 1", False),
        (b"INSERT INTO t (a) WITH 1 AS x SELECT x", False),
        (b"CREATE VIEW v AS SELECT $$;$$", False),
        (b'SELECT "a;", `b;`', True),
    ],
)
def test_queries(sent: bytes, rows: bool) -> None:
    found = split(sent)
    assert isinstance(found, Query)
    assert found.returns_rows is rows


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b" ; ",
        b"-- nothing",
        b"SELECT 1; DROP TABLE t",
        b"SELECT 1 INTO OUTFILE 'x'",
        b"INSERT INTO t FROM INFILE 'x' FORMAT CSV",
        b"INSERT INTO t SELECT * FROM input('a Int8') FORMAT CSV\n1",
        b"INSERT INTO t FORMAT",
    ],
)
def test_refused(sent: bytes) -> None:
    assert isinstance(split(sent), Refused)
