"""The figures of the overview: what the views count, and how far behind the roles are."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pipeline.console.kept import Kept
from pipeline.console.lag import Lags, lags
from pipeline.console.warehouse import Warehouse
from pipeline.errors import UnavailableError


class Figures(NamedTuple):
    """`counts` as query console_figures has them; `lag` by role, or None with the reason in `kafka_away`."""

    counts: dict[str, Any]
    lag: Lags | None
    kafka_away: str
    as_of: str

    def to_json(self) -> dict[str, Any]:
        """As the page's script gets them."""
        return self._asdict()


class Overview:
    """Asks for all figures at once, no oftener than `Kept` allows."""

    def __init__(self, warehouse: Warehouse, kafka_url: str) -> None:
        self._warehouse = warehouse
        self._kafka_url = kafka_url
        self._kept = Kept(self._ask)

    async def figures(self) -> Figures:
        """The figures. Raises UnavailableError while ClickHouse is away."""
        return await self._kept.get()

    async def _ask(self) -> Figures:
        [counts], (lag, why) = await asyncio.gather(self._warehouse.rows("console_figures"), self._lags())
        return Figures(counts, lag, why, datetime.now(UTC).isoformat(timespec="milliseconds"))

    async def _lags(self) -> tuple[Lags | None, str]:
        try:
            return await lags(self._kafka_url), ""
        except UnavailableError as error:
            return None, str(error)
