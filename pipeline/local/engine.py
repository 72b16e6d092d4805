"""The ClickHouse engine in process, one fresh handle per statement."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import chdb
from chdb.state.sqlitelike import Connection

from pipeline.local.statement import Insert, Query

QUERY_MEMORY = 4 * 1024**3
ENGINE_MEMORY = 6 * 1024**3
MEMORY_FILES = sys.platform == "linux"
PYTHON_FORMATS = frozenset({"dataframe", "arrowtable", "datastore"})
"""What chDB answers with Python objects for; ClickHouse has no formats of these names."""
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_CODE = re.compile(r"Code: (\d+)\.")


class EngineError(Exception):
    """The engine refused a statement; `code` is ClickHouse's number for the reason."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds a statement; parameters are in ClickHouse's own escaped form, as in a URL."""

    database: str | None = None
    format: str = "TabSeparated"
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A statement's result and what it read and wrote, as the engine counted it."""

    body: bytes
    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0


class Engine:
    """chDB over one folder. Statements of several threads run side by side, each on a handle of its own.

    A handle holds the session (USE, SET), costs well under a millisecond, and is thrown away after one
    statement, so that no setting of one request is seen by another. At most one engine may be open on a
    folder, and one in a process.
    """

    def __init__(self, folder: Path) -> None:
        self._path = str(folder.resolve())
        self._keeper = chdb.connect(f"{self._path}?max_server_memory_usage={ENGINE_MEMORY}")
        row = self._keeper.query("SELECT version(), serverTimezone()", "TabSeparated").bytes().decode().split()
        self.version, self.timezone = row[0], row[1]

    def close(self) -> None:
        """Stop merges and close the folder; no statement may be running."""
        self._keeper.close()

    def query(self, query: Query, context: Context) -> Answer:
        """Run one statement. Raises EngineError."""
        if context.format.lower() in PYTHON_FORMATS:
            raise EngineError(73, f"Code: 73. DB::Exception: Unknown format {context.format}. (UNKNOWN_FORMAT)")
        with self._handle(context) as handle:
            result = handle.query(query.text, context.format, params=dict(context.parameters))
            return Answer(
                body=result.bytes() or b"",
                read_rows=result.storage_rows_read(),
                read_bytes=result.storage_bytes_read(),
                written_rows=result.rows_written(),
                written_bytes=result.bytes_written(),
                result_rows=result.rows_read(),
            )

    def insert(self, insert: Insert, data: Iterable[bytes], context: Context) -> Answer:
        """Insert the pieces of `data`, in order, as one statement.

        Raises EngineError; then nothing is stored, unless the data were more than one block
        (max_insert_block_size rows). Rows of materialized views are counted too, as ClickHouse does.

        The data go through INFILE: chDB's own streaming insert reports success when the insert failed in a
        DEFAULT expression, a constraint or a materialized view, and stores nothing.
        """
        with self._handle(context) as handle:
            with _as_file(data) as path:
                statement = f"{insert.text} FROM INFILE {_quoted(path)} {insert.settings} FORMAT {insert.format}"
                done = handle.query(statement, params=dict(context.parameters))
            return Answer(b"", written_rows=done.rows_written(), written_bytes=done.bytes_written())

    @contextmanager
    def _handle(self, context: Context) -> Iterator[Connection]:
        handle: Any = chdb.connect(self._path)
        try:
            if context.database:
                handle.query(f"USE {_identifier(context.database)}")
            handle.query(f"SET {_assignments(context.settings)}")
            yield handle
        except (RuntimeError, UnicodeError) as error:
            raise _mapped(error) from error
        finally:
            handle.close()


@contextmanager
def _as_file(data: Iterable[bytes]) -> Iterator[str]:
    """Make the data readable under a path, in memory where the system can."""
    with _anonymous_file() as file:
        for piece in data:
            file.write(piece)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}" if MEMORY_FILES else file.name


def _anonymous_file() -> Any:
    if MEMORY_FILES:
        return os.fdopen(os.memfd_create("insert"), "wb", buffering=0)
    return tempfile.NamedTemporaryFile(prefix="insert-")


def _assignments(settings: Mapping[str, str]) -> str:
    """Render all settings as one SET, so that readonly=1 among them does not forbid the others."""
    wanted = {"max_memory_usage": str(QUERY_MEMORY), **settings}
    return ", ".join(f"{_checked(name)} = {_quoted(value)}" for name, value in wanted.items())


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise EngineError(115, f"Code: 115. DB::Exception: Unknown setting '{name}'. (UNKNOWN_SETTING)")
    return name


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _identifier(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def _mapped(error: Exception) -> EngineError:
    text = str(error)
    found = _CODE.search(text)
    if found is None:
        return EngineError(1002, f"Code: 1002. DB::Exception: {text}. (UNKNOWN_EXCEPTION)")
    return EngineError(int(found.group(1)), text[found.start() :].strip())
