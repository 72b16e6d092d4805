"""The one way to ClickHouse: its HTTP interface, blocks in, rows out.

TouchlineError
 ├─ UnavailableError   connection, time-out, memory, read-only, too many parts ...: the same again may work
 │   └─ FailedInsertError   the server answered an insert so; where that goes on, the bytes may be why after all
 └─ QueryError         the engine understood and said no; carries its number and its words
     └─ RefusedBlock   an insert was refused because of the bytes it brought: cut the poison out
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from io import BytesIO
from typing import Any, Self, cast
from urllib.parse import urlsplit

from clickhouse_connect import get_async_client
from clickhouse_connect.driver.asyncclient import AsyncClient
from clickhouse_connect.driver.exceptions import ClickHouseError, Error
from fastavro import reader

from pipeline.errors import ConfigurationError, TouchlineError, UnavailableError
from sinks.codes import UNAVAILABLE, is_refusal

DATABASE = "touchline"
CONNECT_SECONDS = 5
ANSWER_SECONDS = 60
BLOCK_ROWS = 1_048_576
"""A block of up to as many rows becomes one part: all of it or nothing."""

_INSERT: Mapping[str, Any] = {
    "async_insert": 0,
    "wait_end_of_query": 1,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "materialized_views_ignore_errors": 0,
}
_ONE_PART: Mapping[str, Any] = {  # as far as the server knows them: what it does not know cannot split a block
    "max_insert_block_size": BLOCK_ROWS,
    "max_insert_block_size_bytes": 0,
    "min_insert_block_size_rows": BLOCK_ROWS,
    "min_insert_block_size_bytes": 0,
    "input_format_parallel_parsing": 0,
    "input_format_max_block_size_bytes": 0,
    "input_format_allow_errors_num": 0,
    "input_format_allow_errors_ratio": 0,
}

_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)

Row = tuple[Any, ...]


class QueryError(TouchlineError):
    """The engine refused a statement; `code` is ClickHouse's number for why."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class RefusedBlock(QueryError):  # noqa: N818 (a verdict on the data, not a fault)
    """The engine refused a block for its content. Nothing of the block has landed."""


class FailedInsertError(UnavailableError):
    """The server took an insert and failed with it, for reasons that seem to be its own; `code` is its number."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Client:
    """A connection pool to one database. Safe for concurrent use within one event loop."""

    def __init__(self, inner: AsyncClient, url: str) -> None:
        self._inner = inner
        self._url = url
        self._one_part = {name: value for name, value in _ONE_PART.items() if name in inner.server_settings}

    @property
    def database(self) -> str:
        """The database that unqualified names mean."""
        return cast(str, self._inner.database)

    async def insert_avro(self, table: str, container: bytes, token: str) -> None:
        """Insert one Avro container file (`schemas.block.container`, at most `BLOCK_ROWS` rows) as one part.

        On return the rows are in `table` and in what its materialised views feed. On RefusedBlock no row is.
        On UnavailableError nobody knows: insert the same bytes with the same token again, and ClickHouse
        skips what it has already. Other bytes are never skipped, whatever their token: it is completed with a
        digest of the content.
        """
        digest = blake2b(container, digest_size=16).hexdigest()
        settings = {**_INSERT, **self._one_part, "insert_deduplication_token": f"{token}-{digest}"}
        with self._errors(inserting=True):
            await self._inner.raw_insert(table, columns_of(container), container, settings=settings, fmt="Avro")

    async def insert_rows(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert a few rows as one block: all or none."""
        with self._errors(inserting=True):
            await self._inner.insert(table, rows, column_names=columns, settings=dict(_INSERT))

    async def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """Return the rows of a query whose parameters stand as `{name:Type}`."""
        with self._errors():
            result = await self._inner.query(sql, parameters=dict(parameters or {}))
        return [tuple(row) for row in result.result_rows]

    async def look(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the rows of a query by the names of their columns; a query that would write is refused."""
        with self._errors():
            result = await self._inner.query(sql, parameters=dict(parameters or {}), settings={"readonly": 2})
        return [dict(zip(result.column_names, row, strict=True)) for row in result.result_rows]

    async def raw(self, sql: str, parameters: Mapping[str, Any] | None = None, fmt: str = "RowBinary") -> bytes:
        """Return a query's result as ClickHouse formats it."""
        with self._errors():
            return cast(bytes, await self._inner.raw_query(sql, parameters=dict(parameters or {}), fmt=fmt))

    async def read_only(self, sql: str, fmt: str) -> bytes:
        """Return the result of a query that somebody typed, formatted; anything that would write is refused."""
        if format_in(sql):
            fmt = ""
        with self._errors():
            return cast(bytes, await self._inner.raw_query(sql, settings={"readonly": 2}, fmt=fmt or None))

    async def command(self, sql: str, parameters: Mapping[str, Any] | None = None, *, in_database: bool = True) -> None:
        """Run a statement that returns nothing."""
        with self._errors():
            await self._inner.command(sql, parameters=dict(parameters or {}), use_database=in_database)

    async def close(self) -> None:
        """Close the pool."""
        await self._inner.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @contextmanager
    def _errors(self, *, inserting: bool = False) -> Iterator[None]:
        with errors(self._url, inserting=inserting):
            yield


async def connect(url: str, user: str, password: str, database: str = DATABASE) -> Client:
    """Connect to the server at `url`, http(s)://host[:port]; the database need not exist yet.

    Raises ConfigurationError for a malformed URL, UnavailableError when nobody answers, QueryError when the
    server refuses (a wrong password, say).
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigurationError(f"TOUCHLINE_CLICKHOUSE_URL: {url!r} must look like http://host:8123")
    if parts.username or parts.password:
        raise ConfigurationError(
            "TOUCHLINE_CLICKHOUSE_URL names a user: set TOUCHLINE_CLICKHOUSE_USER and _PASSWORD instead"
        )
    with errors(url):
        inner = await get_async_client(
            interface=parts.scheme,
            host=parts.hostname,
            port=parts.port or (8443 if parts.scheme == "https" else 8123),
            proxy_path=parts.path.strip("/"),
            username=user,
            password=password,
            compress=False,
            connect_timeout=CONNECT_SECONDS,
            send_receive_timeout=ANSWER_SECONDS,
            query_retries=0,
            autogenerate_session_id=False,
        )
    inner.database = database
    return Client(inner, url)


def format_in(sql: str) -> str | None:
    """The output format with which a query ends, if it names one."""
    found = _FORMAT.search(sql)
    return found[1] if found else None


def columns_of(container: bytes) -> list[str]:
    """Return the columns a container file brings, from the schema in its head.

    They must be named in the INSERT: without a list ClickHouse leaves EPHEMERAL columns out, and with them
    the check that a block lines up. Fields that the table has and an older schema lacks take their column's
    default.
    """
    schema = cast(dict[str, Any], reader(BytesIO(container)).writer_schema)
    return [field["name"] for field in schema["fields"]]


@contextmanager
def errors(url: str, *, inserting: bool = False) -> Iterator[None]:
    """Map what the client library raises to our own errors."""
    try:
        yield
    except ClickHouseError as error:
        raise _mapped(error, url, inserting) from error
    except (OSError, TimeoutError) as error:
        raise _away(url, repr(error)) from error


def _mapped(error: ClickHouseError, url: str, inserting: bool) -> TouchlineError:
    code = error.code if isinstance(error, Error) else None
    text = _words(str(error))
    if code is None:
        return _away(url, text)
    if inserting and is_refusal(code, text):
        return RefusedBlock(code, f"ClickHouse refused the block ({code}): {text}")
    busy = f"ClickHouse at {url} cannot do this now ({code}): {text}; trying again may help"
    if inserting:
        return FailedInsertError(code, busy)
    if code in UNAVAILABLE:
        return UnavailableError(busy)
    return QueryError(code, f"ClickHouse ({code}): {text}")


def _away(url: str, why: str) -> UnavailableError:
    return UnavailableError(f"ClickHouse at {url} did not answer ({why}): is it running, and is the URL right?")


def _words(text: str) -> str:
    """Return what the engine said, on one line, without the driver's frame around it."""
    _, _, said = text.partition("DB::Exception: ")
    line = " ".join((said or text).split())
    return line.partition(" (version ")[0][:1000]
