"""What the private listener asks ClickHouse, over one client that stays open."""

from __future__ import annotations

import asyncio
import json
from typing import Any, TypeVar

import msgspec

from pipeline.errors import ConfigurationError, UnavailableError
from pipeline.settings import Settings
from sinks import sql
from sinks.clickhouse import Client, connect

ANSWER_SECONDS = 15.0
Row = dict[str, Any]
Record = TypeVar("Record", bound=msgspec.Struct)


class Warehouse:
    """Asks the queries of sinks/queries. Connects at the first question, and again until that has worked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    async def rows(self, name: str, **parameters: Any) -> list[Row]:
        """The rows of a query, as the engine writes them in JSON; moments are RFC 3339 in UTC.

        Raises UnavailableError when ClickHouse does not answer in time, ConfigurationError when none is set, QueryError
        when it says no (no tables yet, say).
        """
        return [json.loads(line) for line in (await self._answer(name, parameters)).split(b"\n") if line]

    async def records(self, name: str, kind: type[Record], **parameters: Any) -> list[Record]:
        """The rows of a query as records of a kind, its fields named as the columns. Raises what `rows` raises."""
        return msgspec.json.Decoder(kind).decode_lines(await self._answer(name, parameters))

    async def row(self, name: str, **parameters: Any) -> Row | None:
        """The first row, or None. Raises what `rows` raises."""
        return next(iter(await self.rows(name, **parameters)), None)

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _answer(self, name: str, parameters: dict[str, Any]) -> bytes:
        """What the engine writes: an object a line."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                client = await self._connected()
                return await client.raw(sql.query(name), parameters, fmt="JSONEachRow")
        except TimeoutError as error:
            raise UnavailableError(f"ClickHouse did not answer within {ANSWER_SECONDS:g} s: try again later") from error

    async def _connected(self) -> Client:
        known = self._settings
        if known.clickhouse_url is None:
            raise ConfigurationError("TOUCHLINE_CLICKHOUSE_URL is not set: name the server, http(s)://host:port")
        async with self._connecting:
            if self._client is None:
                self._client = await connect(known.clickhouse_url, known.clickhouse_user, known.clickhouse_password)
            return self._client
