"""What an agent with states notes beside the offsets it commits: of which log they are, with which states they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndMetadata

from agents.chunk import Chunk
from pipeline.marks import Mark, Start, States, check_of, to_metadata
from pipeline.positions import committed, starts
from pipeline.topics import changelog_of


class Marking:
    """Remembers the last mark of each partition owned, since a chunk may hold no record or change no state."""

    def __init__(self, kafka_url: str, group: str, sources: Sequence[str], epochs: Mapping[str, int]) -> None:
        self._kafka_url = kafka_url
        self._group = group
        self._sources = sources
        self._epochs = epochs
        self._last: dict[tuple[str, int], Mark] = {}
        self.changelog = changelog_of(group)
        """The topic that keeps the group's states."""

    async def starts(self, partitions: set[int]) -> dict[TopicPartition, Start]:
        """Where to fold on. Raises AnotherLogError where the log is not the one folded before."""
        wanted = [TopicPartition(topic, partition) for topic in self._sources for partition in partitions]
        marks = await committed(self._kafka_url, self._group, wanted)
        found = await starts(self._kafka_url, self._epochs, marks, wanted, self.changelog)
        self._last = {
            (tp.topic, tp.partition): mark
            for tp, mark in marks.items()
            if mark.epoch == self._epochs[tp.topic] and found[tp].position >= mark.position
        }
        return found

    def mark(self, chunk: Chunk, written: Mapping[str, int]) -> OffsetAndMetadata:
        """What to commit after a chunk, given by topic the positions after what it wrote."""
        last = self._last.get((chunk.topic, chunk.partition), Mark(None, 0))
        check = check_of(chunk.records[-1]) if chunk.records else last.check
        states = last.states
        if (position := written.get(self.changelog)) is not None:
            states = States(self._epochs[self.changelog], position)
        mark = Mark(self._epochs[chunk.topic], chunk.next, check, states)
        self._last[chunk.topic, chunk.partition] = mark
        return OffsetAndMetadata(mark.position, to_metadata(mark))
