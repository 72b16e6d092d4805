"""Which records of the logs are those of forgotten customers, for the audit: they stand there until retention comes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from aiokafka import TopicPartition

from pipeline.forgotten import hash_of
from pipeline.log_reader import LogReader, Span
from sinks import sql
from sinks.clickhouse import Client

_KEPT_HASHES = 100_000


class ForgottenRecords:
    """Knows them by the hashes of their keys, under the secret that they were forgotten with."""

    def __init__(self, log: LogReader, clickhouse: Client, secret: str) -> None:
        self._log = log
        self._clickhouse = clickhouse
        self._secret = secret
        self._hashed = lru_cache(_KEPT_HASHES)(lambda key: hash_of(secret, key).hex())
        self.notes: list[str] = []

    async def offsets(
        self, spans: Mapping[TopicPartition, Span], topic: str, epoch: int
    ) -> dict[TopicPartition, set[int]]:
        """By partition, the offsets within its span that were forgotten; a log where nothing was is not read."""
        found: dict[TopicPartition, set[int]] = {tp: set() for tp in spans}
        known = await self._known(topic, epoch)
        wanted = {
            tp: Span(span.first, min(span.end, max(known[tp.partition].values())))
            for tp, span in spans.items()
            if known.get(tp.partition)
        }
        if wanted and not self._secret:
            self.notes.append(f"{topic}: set TOUCHLINE_FORGET_KEY, to know the records of forgotten customers")
            return found
        async for batch in self._log.records(wanted):
            tp = TopicPartition(batch[0].topic, batch[0].partition)
            before = known[tp.partition]
            found[tp].update(
                record.offset
                for record in batch
                if record.key is not None and record.offset < before.get(self._hashed(record.key), 0)
            )
        return found

    async def _known(self, topic: str, epoch: int) -> dict[int, dict[str, int]]:
        """By partition and hash, the position before which all was forgotten in this epoch."""
        known: dict[int, dict[str, int]] = defaultdict(dict)
        for hashed, own, partition, position in await self._clickhouse.query(sql.query("forgotten"), {"topic": topic}):
            if own == epoch:
                name = hashed if isinstance(hashed, str) else hashed.decode()
                known[partition][name] = max(position, known[partition].get(name, 0))
        return known
