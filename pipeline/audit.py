"""Proves conservation: each record in Kafka is a row in ClickHouse or a dead letter; says where not.

Three witnesses are compared. The log says which records there are; the ledger says which offsets landed; and
the table of touchpoints is asked whether the rows are really there, since a ledger cannot vouch for a table.
A landed touchpoint that cannot be seen must be a duplicate of an earlier one that can: those few are read
from Kafka and looked up by their key. With `deep`, every touchpoint is.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass, replace
from typing import Any

from aiokafka import TopicPartition

from pipeline.conservation import Account, account, is_complete, remembered
from pipeline.errors import ConfigurationError, UnavailableError
from pipeline.forgotten_records import ForgottenRecords
from pipeline.landed import LANDED_NAMES, marks_of, wait_for
from pipeline.log_reader import LogReader, Span, log_reader
from pipeline.profile_audit import ProfileAudit
from pipeline.topics import epochs
from pipeline.witness import Findings, examine, places_of, rows_of
from schemas.ids import LOCAL, Ids
from sinks import ledger, sql
from sinks.clickhouse import Client
from sinks.ledger import Landed

WAIT_SECONDS = 30.0


@dataclass(frozen=True)
class Partition:
    """One partition of one topic, in one epoch.

    records = landed + dead_letters + forgotten + difference. `lost` is what can be named but no longer be
    looked at: offsets that retention deleted before they landed, and landed records that the log has lost or
    forgot with its epoch.
    """

    topic: str
    partition: int
    epoch: int
    first_offset: int
    end_offset: int
    records: int
    landed: int
    dead_letters: int
    forgotten: int = 0
    lost: int = 0
    difference: int = 0


@dataclass(frozen=True)
class Audit:
    """The result. `notes` says in words what the numbers alone would leave open.

    `profiles` is how many customers' profiles count otherwise than what has landed, without an explanation; None where
    they were not compared.
    """

    partitions: tuple[Partition, ...]
    notes: tuple[str, ...]
    deep: bool
    profiles: int | None = None

    @property
    def ok(self) -> bool:
        """True when nothing is missing that the log still holds, and no profile passes over what has landed."""
        return not self.profiles and all(partition.difference == 0 for partition in self.partitions)

    def to_json(self) -> dict[str, Any]:
        """Return the object that `touchline audit --json` prints."""
        lines = [asdict(partition) for partition in self.partitions]
        return {
            "ok": self.ok,
            "deep": self.deep,
            "notes": list(self.notes),
            "profiles": self.profiles,
            "partitions": lines,
        }


async def audit(  # noqa: PLR0913 (what it looks at, each once)
    kafka_url: str,
    clickhouse: Client,
    *,
    deep: bool = False,
    wait_seconds: float = WAIT_SECONDS,
    ids: Ids = LOCAL,
    forget_key: str = "",
) -> Audit:
    """Compare what the topics hold now with what has landed after at most `wait_seconds`.

    `forget_key` is the secret by which records of forgotten customers are known.

    Raises UnavailableError when Kafka, ClickHouse or the schema registry does not answer, and ConfigurationError when
    there are no topics to audit.
    """
    until = time.monotonic() + wait_seconds
    known = await epochs(kafka_url)
    async with log_reader(kafka_url) as log:
        spans = await log.spans(LANDED_NAMES)
        if not spans:
            raise ConfigurationError(f"Kafka at {kafka_url} has no topic of Touchline: is TOUCHLINE_KAFKA_URL right?")
        await _wait(log, spans, clickhouse, known, until)
        await _wait(log, await log.spans(["rejected"]), clickhouse, known, until)
        auditor = _Auditor(log, clickhouse, known, deep, ids, ForgottenRecords(log, clickhouse, forget_key))
        for topic in LANDED_NAMES:
            await auditor.add({tp: span for tp, span in spans.items() if tp.topic == topic}, topic)
        profiles = None
        if deep and "touchpoints" in known:
            compared = ProfileAudit(kafka_url, log, clickhouse, known, wait_seconds=wait_seconds)
            profiles = await _profiles(compared, auditor.notes)
    return Audit(tuple(auditor.partitions), tuple(auditor.notes), deep, profiles)


async def _profiles(profiles: ProfileAudit, notes: list[str]) -> int | None:
    """How many profiles differ from what has landed, with notes; None where landing lags, which the audit shows."""
    try:
        tally = await profiles.compare()
    except UnavailableError as error:
        notes.append(f"the profiles were not compared with what has landed: {error}")
        return None
    notes.extend(tally.notes)
    return tally.differing


async def _wait(
    log: LogReader,
    spans: Mapping[TopicPartition, Span],
    clickhouse: Client,
    known: Mapping[str, int],
    until: float,
) -> None:
    """Give landing until then; what has not landed by then is what the audit shows."""
    positions = marks_of(clickhouse, known, {tp.topic for tp in spans})
    try:
        await wait_for(log, spans, positions, until)
    except UnavailableError:
        if time.monotonic() < until:
            raise


class _Auditor:
    """Gathers the partitions and the notes, topic by topic."""

    def __init__(  # noqa: PLR0913, PLR0917 (what it looks at, each once)
        self,
        log: LogReader,
        clickhouse: Client,
        known: Mapping[str, int],
        deep: bool,
        ids: Ids,
        forgotten: ForgottenRecords,
    ) -> None:
        self._log = log
        self._forgotten = forgotten
        self._clickhouse = clickhouse
        self._known = known
        self._deep = deep
        self._ids = ids
        self.partitions: list[Partition] = []
        self.notes: list[str] = []

    async def add(self, spans: Mapping[TopicPartition, Span], topic: str) -> None:
        """Audit one topic: its log as it was at `spans`, and what the ledger says of epochs that are gone."""
        epoch = self._known.get(topic, -1)
        entries: dict[tuple[int, int], list[Landed]] = defaultdict(list)
        for entry in await ledger.ranges(self._clickhouse, topic):
            entries[entry.epoch, entry.partition].append(entry)
        refused = await self._refused_offsets(topic)
        unproven = {tp: span for tp, span in spans.items() if not is_complete(span, entries[epoch, tp.partition])}
        offsets = await self._offsets(unproven)
        gone = await self._forgotten.offsets(spans, topic, epoch)
        now = await self._log.spans([topic])
        for tp, span in spans.items():
            key = (epoch, tp.partition)
            forgotten = gone[tp] - set(refused.get(key, []))
            held = [offset for offset in offsets[tp] if offset not in forgotten] if tp in offsets else None
            result = account(span, entries[key], held, refused.get(key, []))
            line = _line(topic, tp.partition, epoch, span, result)
            line = _with_forgotten(line, len(forgotten), counted=held is None)
            line = self._with_losses(line, result, entries.pop(key), now.get(tp, span).end)
            line = self._with_dead_letters(line, span, refused.get(key, []))
            excused = forgotten.union(refused.get(key, []))
            self.partitions.append(await self._with_rows(line, tp, span, excused))
        self.notes += self._forgotten.notes
        self._forgotten.notes = []
        self._add_gone(topic, entries)

    async def _offsets(self, spans: Mapping[TopicPartition, Span]) -> dict[TopicPartition, list[int]]:
        found: dict[TopicPartition, list[int]] = {tp: [] for tp in spans}
        async for batch in self._log.records(spans):
            tp = TopicPartition(batch[0].topic, batch[0].partition)
            found[tp].extend(record.offset for record in batch)
        return found

    async def _refused_offsets(self, topic: str) -> dict[tuple[int, int], list[int]]:
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        for epoch, partition, offset in await self._clickhouse.query(sql.query("refused_offsets"), {"topic": topic}):
            found[epoch, partition].append(offset)
        return found

    def _with_losses(self, line: Partition, result: Account, entries: Sequence[Landed], end: int) -> Partition:
        """Name what retention took before it landed, and marks beyond the log's end."""
        where = f"{line.topic} partition {line.partition}"
        if result.expired:
            self.notes.append(f"{where}: up to {result.expired} records were deleted by retention before they landed")
        beyond = max((entry.next_offset for entry in entries), default=0) - end
        if beyond > 0:
            self.notes.append(
                f"{where}: ClickHouse has up to {beyond} records beyond the log's end {end}: Kafka lost them"
            )
        return replace(line, lost=result.expired + max(0, beyond))

    def _with_dead_letters(self, line: Partition, span: Span, refused: Sequence[int]) -> Partition:
        """Every record that landing refused must be found among the dead letters."""
        kept = sum(span.first <= offset < span.end for offset in refused)
        missing = line.dead_letters - kept
        if missing <= 0:
            return line
        where = f"{line.topic} partition {line.partition}"
        self.notes.append(f"{where}: {missing} records were refused, but their dead letters are missing")
        return replace(line, dead_letters=kept, difference=line.difference + missing)

    async def _with_rows(self, line: Partition, tp: TopicPartition, span: Span, excused: Set[int]) -> Partition:
        """Ask the table of touchpoints whether the rows that the ledger speaks of are there."""
        if line.topic != "touchpoints" or not (self._deep or await self._hides_rows(line)):
            return line
        rows = await rows_of(self._clickhouse, tp.partition, line.epoch)
        found = await examine(self._log, {tp: span}, rows, self._ids, excused=excused, deep=self._deep)
        if found.unseen:
            found.excuse(await places_of(self._clickhouse, [key for key, _ in found.unseen]), line.epoch)
        where = f"{line.topic} partition {line.partition}"
        self.notes += [f"{where}: {note}" for note in found.notes]
        return _corrected(line, found)

    async def _hides_rows(self, line: Partition) -> bool:
        parameters = {
            "epoch": line.epoch,
            "partition": line.partition,
            "first": line.first_offset,
            "end": line.end_offset,
        }
        [(visible,)] = await self._clickhouse.query(sql.query("visible_touchpoints"), parameters)
        return bool(visible != line.landed)

    def _add_gone(self, topic: str, entries: Mapping[tuple[int, int], Sequence[Landed]]) -> None:
        """Name the epochs and partitions that the ledger knows and Kafka does not hold any more."""
        for (epoch, partition), ranges in sorted(entries.items()):
            if not ranges:
                continue
            span = Span(ranges[0].first_offset, max(entry.next_offset for entry in ranges))
            line = _line(topic, partition, epoch, span, remembered(span, ranges))
            self.partitions.append(replace(line, lost=line.records))
            self.notes.append(
                f"{topic} partition {partition}: epoch {epoch} is gone from Kafka; "
                f"ClickHouse has it up to offset {span.end}, and whatever came after is lost"
            )


def _line(topic: str, partition: int, epoch: int, span: Span, result: Account) -> Partition:
    return Partition(
        topic=topic,
        partition=partition,
        epoch=epoch,
        first_offset=span.first,
        end_offset=span.end,
        records=result.records,
        landed=result.landed,
        dead_letters=result.dead_letters,
        difference=result.difference,
    )


def _with_forgotten(line: Partition, forgotten: int, *, counted: bool) -> Partition:
    """Show the records of forgotten customers as such; `counted` says that they are among the landed ones so far."""
    if counted:
        return replace(line, forgotten=forgotten, landed=line.landed - forgotten)
    return replace(line, forgotten=forgotten, records=line.records + forgotten)


def _corrected(line: Partition, found: Findings) -> Partition:
    """Take rows off that are not there; wrong and invented rows count as differences too."""
    return replace(
        line,
        landed=line.landed - found.missing,
        difference=line.difference + found.missing + found.wrong + found.invented,
    )
