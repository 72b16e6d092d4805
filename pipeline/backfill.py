"""Takes history in from a file: two passes, so that it is sent in time order whatever order the file has.

The first pass reads, validates and encodes every line and sorts what is good by time, on disk when it is much;
refused lines become dead letters. The second sends. The same file again, or its lines in another order, sends the
same event_ids again, so it counts once; the same file with the same mapping also has the same import_id.

With a journal the second pass goes on where an earlier run was interrupted; the first is done anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from pipeline.backfill_import import BackfillResult, Import, LineError, Progress
from pipeline.backfill_journal import Journal
from pipeline.backfill_readers import Source, reader_of, source_of
from pipeline.backfill_refusals import Refusals
from pipeline.backfill_sort import Sorter
from pipeline.epoch_log import read_epochs
from pipeline.errors import UsageError
from pipeline.model import derived_id
from pipeline.privacy import MASKING, Privacy
from pipeline.publisher import Publisher
from pipeline.tables.loading import LoadedMapping
from schemas.ids import LOCAL, Ids

__all__ = ["BackfillResult", "Import", "LineError", "Options", "backfill", "import_id_of"]

PATIENCE_SECONDS = 60.0
_BLOCK_BYTES = 1024 * 1024


def _quiet(message: str) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Options:
    """How a file is read, and what is kept beside; `say` gets what somebody should know meanwhile, in lines."""

    mapping: LoadedMapping | None = None
    journal: Journal | None = None
    errors_path: Path | None = None
    privacy: Privacy = MASKING
    say: Callable[[str], None] = _quiet


_DEFAULTS = Options()


async def backfill(  # noqa: PLR0913 (what it works on and by, each once)
    file: Path,
    kafka_url: str,
    *,
    progress: Progress | None = None,
    now: int,
    ids: Ids = LOCAL,
    options: Options = _DEFAULTS,
) -> BackfillResult:
    """Send a file's events and return when Kafka has acknowledged all of them, dead letters included.

    `now` (UTC milliseconds) becomes `received_at`. `progress` is told done and total, in units of work. Raises
    UsageError for a file that cannot be read as a whole, before any of its events was sent, and UnavailableError
    when Kafka stays away; starting again is safe.
    """
    reader_of(file)
    publisher = Publisher(kafka_url, PATIENCE_SECONDS)
    told = progress or _silent
    try:
        with _opened(file) as raw, Sorter() as sorter:
            import_id = import_id_of(raw, options.mapping)
            work = Import(publisher, sorter, import_id, now, ids, options.privacy)
            size = raw.tell()
            raw.seek(0)
            source = source_of(file, raw, options.mapping)
            errors_file = await _first_pass(work, source, size, told, options)
            journal = await _journal(options.journal, kafka_url, import_id, now)
            resumed = work.resume(journal) if journal is not None else 0
            if resumed:
                options.say(f"resuming at {resumed + 1:,} of {work.good:,}: Kafka has acknowledged what comes before")
            await work.send(size, told)
    finally:
        await publisher.stop()
    return replace(work.result(), errors_file=errors_file)


async def _first_pass(work: Import, source: Source, size: int, told: Progress, options: Options) -> Path | None:
    """Read the file; return where its refused lines are listed, if any are."""
    if options.errors_path is None:
        await work.read(source.lines, source.position, size, told)
        return None
    with Refusals(options.errors_path, options.say) as refusals:
        work.refusals = refusals
        await work.read(source.lines, source.position, size, told)
        return refusals.finish()


async def _journal(journal: Journal | None, kafka_url: str, import_id: str, now: int) -> Journal | None:
    """The journal, opened for the log that there is now; None where that log has no epoch to know it by."""
    epoch = (await read_epochs(kafka_url)).get("touchpoints") if journal is not None else None
    if journal is None or epoch is None:
        return None
    journal.open(import_id, f"{epoch.number} {epoch.topic_id}", now)
    return journal


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error


def import_id_of(raw: BinaryIO, mapping: LoadedMapping | None = None) -> str:
    """Return the id of an import of these bytes, having read all of them; with another mapping it is another import."""
    digest = hashlib.sha256()
    while block := raw.read(_BLOCK_BYTES):
        digest.update(block)
    return derived_id("import", digest.hexdigest(), *((mapping.digest,) if mapping else ()))


def _silent(done: int, total: int) -> None:
    """Tell nobody."""
