"""The .sql files of this package: the only place where SQL is written."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_END = re.compile(r";[ \t]*$", re.MULTILINE)


@cache
def query(name: str) -> str:
    """Return the one statement of queries/<name>.sql."""
    return read("queries", f"{name}.sql")


def names(folder: str) -> tuple[str, ...]:
    """Return the names of the .sql files of a folder, in their order."""
    return tuple(sorted(file.name for file in (files("sinks") / folder).iterdir() if file.name.endswith(".sql")))


def read(folder: str, name: str) -> str:
    """Return the text of one file."""
    return (files("sinks") / folder / name).read_text("utf-8")


def statements(text: str) -> tuple[str, ...]:
    """Return the statements of a file; one ends where a line ends with a semicolon."""
    return tuple(part.strip() for part in _END.split(text) if part.strip())
