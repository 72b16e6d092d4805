"""What landing enters in the ledger of the chunks that have landed."""

from __future__ import annotations

from collections.abc import Sequence

from agents.chunk import Chunk
from agents.refused import LogRecord
from pipeline.marks import NO_CHECK, Check, check_of
from sinks.ledger import Landed


def entries_of(
    topic: str,
    epoch: int,
    chunks: Sequence[Chunk],
    refused: Sequence[LogRecord],
    requests: Sequence[LogRecord],
) -> list[Landed]:
    """One ledger entry per run of adjoining chunks of a partition."""
    entries: list[Landed] = []
    for partition in sorted({chunk.partition for chunk in chunks}):
        own = sorted((chunk for chunk in chunks if chunk.partition == partition), key=lambda chunk: chunk.first)
        bad = [record.offset for record in refused if record.partition == partition]
        asked = [record.offset for record in requests if record.partition == partition]
        start = 0
        for end in range(1, len(own) + 1):
            if end == len(own) or own[end].first != own[end - 1].next:
                run = own[start:end]
                first, after = run[0].first, run[-1].next
                rows = sum(record.value is not None for chunk in run for record in chunk.records)
                out = sum(first <= offset < after for offset in bad)
                rows -= out + sum(first <= offset < after for offset in asked)
                entries.append(Landed(topic, epoch, partition, first, after, rows, out, "", *_last_of(run)))
                start = end
    return entries


def _last_of(run: Sequence[Chunk]) -> Check:
    """The last record of adjoining chunks, as the ledger remembers it."""
    last = next((chunk.records[-1] for chunk in reversed(run) if chunk.records), None)
    return NO_CHECK if last is None else check_of(last)
