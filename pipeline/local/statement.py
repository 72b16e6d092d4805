"""Splits what a client sent into statement, format and data, without understanding the SQL between them.

The engine in process must be given an insert's data beside its statement, not behind it: data behind it are
cut at the first empty line, and what follows would be run as another statement. So the border is found here,
by ClickHouse's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

HEAD_BYTES = 256 * 1024
"""A statement, without an insert's data, must end within as many bytes: ClickHouse's own max_query_size."""

_TOKEN = re.compile(
    rb"""(?P<skip>\s+|--[^\n]*|\#[ !][^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<string>'(?:[^'\\]|\\.|'')*'?)
    |(?P<name>`(?:[^`\\]|\\.|``)*`?|"(?:[^"\\]|\\.|"")*"?)
    |(?P<heredoc>\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)
_DATA_START = re.compile(rb"[ \t\f]*;?[ \t\f]*\r?\n?")
_RESULTS = {"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXISTS", "EXPLAIN", "CHECK", "FROM", "VALUES", "("}


@dataclass(frozen=True, slots=True)
class Insert:
    """An insert with data: the statement up to SETTINGS, that clause, the format, and the data's start."""

    text: str
    settings: str
    format: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Query:
    """Any other single statement, as sent; `returns_rows` is whether it answers with a result set."""

    text: bytes
    returns_rows: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement the front does not pass on, with ClickHouse's error code for it."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int
    depth: int


def split(sent: bytes) -> Insert | Query | Refused:
    """Split what a client sent; of an insert, the first `HEAD_BYTES` are enough."""
    tokens = _tokens(sent)
    first = next(tokens, None)
    if first is None:
        return Refused(62, "Syntax error: Empty query")
    if first.text.upper() == "INSERT":
        insert = _insert(sent, tokens)
        if insert is not None:
            return insert
        tokens = _tokens(sent)
        next(tokens)
    return _single(sent, first, tokens)


def is_insert(sent: bytes) -> bool:
    """Tell whether the first word is INSERT."""
    first = next(_tokens(sent), None)
    return first is not None and first.text.upper() == "INSERT"


def _tokens(sent: bytes) -> Iterator[_Token]:
    depth = 0
    for found in _TOKEN.finditer(sent):
        kind = found.lastgroup or "other"
        if kind == "skip":
            continue
        text = found.group().decode("utf-8", "replace") if kind != "string" else ""
        depth -= text in {")", "]", "}"} and kind == "other"
        yield _Token("heredoc" if kind == "tag" else kind, text, found.start(), found.end(), depth)
        depth += text in {"(", "[", "{"} and kind == "other"


def _insert(sent: bytes, tokens: Iterator[_Token]) -> Insert | Refused | None:
    """Find where the data of an insert begins; None when the statement brings no data (INSERT ... SELECT)."""
    selects, settings, after_name = False, 0, _skip_target(tokens)
    for token in after_name:
        word = token.text.upper() if token.kind == "word" and token.depth == 0 else ""
        if word in {"SELECT", "WITH"}:
            selects = True
        elif word == "VALUES" and not selects:
            return _cut(sent, settings, token.start, "Values", token.end)
        elif word == "SETTINGS":
            settings = settings or token.start
        elif word == "INFILE":
            return Refused(48, "INSERT FROM INFILE is not offered over HTTP: send the data in the body")
        elif word == "FORMAT":
            name = next(after_name, None)
            if name is None or name.kind != "word":
                return Refused(62, "Syntax error: a format's name must follow FORMAT")
            begin = _DATA_START.match(sent, name.end)
            insert = _cut(sent, settings, token.start, name.text, begin.end() if begin else name.end)
            return _with_input(insert) if selects else insert
    return None


def _cut(sent: bytes, settings: int, end: int, name: str, data: int) -> Insert:
    text = sent[: settings or end].decode()
    return Insert(text, sent[settings:end].decode() if settings else "", name, sent[data:])


def _with_input(insert: Insert) -> Refused | None:
    if insert.data.strip():
        return Refused(48, "INSERT ... SELECT FROM input() is not offered by the local engine: insert into a table")
    return None


def _skip_target(tokens: Iterator[_Token]) -> Iterator[_Token]:
    """Drop INTO [TABLE] [FUNCTION] and the first word of the target, which may be any word."""
    for token in tokens:
        if token.text.upper() not in {"INTO", "TABLE", "FUNCTION"}:
            break
    previous = ""
    for token in tokens:
        if previous != ".":
            yield token
        previous = token.text


def _single(sent: bytes, first: _Token, tokens: Iterator[_Token]) -> Query | Refused:
    end, previous = len(sent), first.text.upper()
    for token in tokens:
        if end < len(sent) and token.text != ";":
            return Refused(62, "Syntax error: Multi-statements are not allowed")
        word = token.text.upper() if token.kind == "word" else ""
        if word == "OUTFILE" and previous == "INTO":
            return Refused(48, "INTO OUTFILE is not offered over HTTP: read the answer instead")
        if token.text == ";" and token.kind == "other" and end == len(sent):
            end = token.start
        previous = word
    if first.text == ";":
        return Refused(62, "Syntax error: Empty query")
    return Query(sent[:end], first.text.upper() in _RESULTS)
