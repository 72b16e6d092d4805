"""Inserting what landing has gathered, and the hunt for the poison in it.

A block that ClickHouse refuses for its content is decoded, then halved, until the poison is found; it is refused alone,
and everything beside it lands.
"""

from __future__ import annotations

from collections.abc import Sequence

from agents.insert_metrics import InsertMetrics
from agents.patience import Patiently
from agents.refused import LogRecord, Refusals
from schemas import block
from schemas.codec import Decoder, UndecodableError
from schemas.contracts import Contract
from schemas.framing import NotTextError
from sinks.clickhouse import Client, FailedInsertError, RefusedBlock
from sinks.codes import MEMORY_LIMIT

_DOUBTFUL_FAILURES = 3
"""How often the server may fail with one block before the block's records are decoded."""


class TooMuchError(Exception):
    """ClickHouse has not the memory for a block: it may have it for half of it."""


class Inserter:
    """Inserts records of one topic, in one epoch."""

    def __init__(  # noqa: PLR0913 (what it depends on, each once)
        self, topic: str, epoch: int, client: Client, decode: Decoder, *, patiently: Patiently, metrics: InsertMetrics
    ) -> None:
        self._topic = topic
        self._epoch = epoch
        self._client = client
        self._decode = decode
        self._patiently = patiently
        self._metrics = metrics

    async def insert(self, contract: Contract, records: Sequence[LogRecord], refusals: Refusals) -> None:
        """Insert the records of one contract; what the engine refuses is narrowed down, first by decoding."""
        try:
            await self.insert_block(contract, records)
        except TooMuchError:
            for half in (records[: len(records) // 2], records[len(records) // 2 :]):
                await self.insert(contract, half, refusals)
        except RefusedBlock as refusal:
            bad = {id(record): why for record in records if (why := self.undecodable(record))}
            if not bad and len(records) == 1:
                fault = self._fault(records[0]) or UndecodableError("refused", str(refusal))
                refusals.add(records[0], fault.code, str(fault))
                return
            for record in records:
                if why := bad.get(id(record)):
                    refusals.add(record, "body", why)
            good = [record for record in records if id(record) not in bad]
            halves = [good] if bad else [good[: len(good) // 2], good[len(good) // 2 :]]
            for half in halves:
                if half:
                    await self.insert(contract, half, refusals)

    def undecodable(self, record: LogRecord) -> str | None:
        """Why a record does not fit its schema, if so. One with strings that are no text does: ClickHouse keeps it."""
        fault = self._fault(record)
        return None if fault is None or isinstance(fault, NotTextError) else str(fault)

    def _fault(self, record: LogRecord) -> UndecodableError | None:
        try:
            self._decode(record.value)
        except UndecodableError as error:
            return error
        return None

    async def insert_block(self, contract: Contract, records: Sequence[LogRecord]) -> None:
        """Insert one block, all of it or nothing. Raises RefusedBlock, and TooMuchError for more than one record."""
        parts: list[bytes] = []
        start = 0
        for end in range(1, len(records) + 1):
            if end == len(records) or records[end].partition != records[start].partition:
                parts += block.bodies(self._epoch, records[start].partition, records[start:end])
                start = end
        container = block.container(contract, len(records), parts)
        first, last = records[0], records[-1]
        places = f"{first.partition}:{first.offset}-{last.partition}:{last.offset}"
        token = f"{self._topic}-{self._epoch}-{places}-{len(records)}"
        failures = 0

        async def attempt() -> None:
            nonlocal failures
            try:
                with self._metrics.insert(self._topic, len(container)):
                    await self._client.insert_avro(f"{self._topic}_log", container, token)
            except FailedInsertError as failure:
                failures += 1
                if failures % _DOUBTFUL_FAILURES == 0:
                    await self._doubt(records, failure)
                raise

        await self._patiently(attempt, "ClickHouse")

    async def _doubt(self, records: Sequence[LogRecord], failure: FailedInsertError) -> None:
        """Ask whether a block that fails time and again, while the server answers others, does so for what it is.

        Raises RefusedBlock when some of its records cannot be decoded: a length that lies asks for all memory there is.
        Raises TooMuchError when the server has not the memory for so many records at once.
        """
        await self._client.query("SELECT 1")
        if any(self.undecodable(record) for record in records):
            raise RefusedBlock(failure.code, str(failure)) from failure
        if failure.code == MEMORY_LIMIT and len(records) > 1:
            raise TooMuchError from failure
