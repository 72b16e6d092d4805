"""The .sql files of this package: the only place where SQL is written."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_SELECT_OF = re.compile(r"/\*select of (\w+)\*/")
_VIEW = re.compile(r"^AS (.*)^COMMENT '", re.MULTILINE | re.DOTALL)
_END = re.compile(r";[ \t]*$", re.MULTILINE)


@cache
def query(name: str) -> str:
    """Return the one statement of queries/<name>.sql."""
    return read("queries", f"{name}.sql")


def select_of(view: str) -> str:
    """Return what a view selects, its parameters in it. Raises ValueError when no file of views/ is that view's."""
    [file] = [each for each in names("views") if each.partition("_")[2] == f"{view}.sql"]
    [select] = _VIEW.findall(read("views", file))
    return str(select).rstrip()


def names(folder: str) -> tuple[str, ...]:
    """Return the names of the .sql files of a folder, in their order."""
    return tuple(sorted(file.name for file in (files("sinks") / folder).iterdir() if file.name.endswith(".sql")))


def read(folder: str, name: str) -> str:
    """Return the text of one file.

    Where it says /*select of <view>*/, that view's own SELECT stands: ClickHouse analyses a view with parameters twice,
    once more for its columns.
    """
    text = (files("sinks") / folder / name).read_text("utf-8")
    return _SELECT_OF.sub(lambda found: select_of(found[1]), text)


def statements(text: str) -> tuple[str, ...]:
    """Return the statements of a file; one ends where a line ends with a semicolon."""
    return tuple(part.strip() for part in _END.split(text) if part.strip())
