"""How far an import has been acknowledged, kept in a small file so that the same command goes on from there.

An import sends its lines in one order, so a count says which have been acknowledged: as long as the order is the
same, which a digest of their line numbers tells, and so is the log they went to, which its epoch tells. Where either
differs, or the file cannot be read, the import begins anew; its event_ids are the same then, so nothing counts twice.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import msgspec

_BLOCK = 10_000


class _Kept(msgspec.Struct):
    epoch: str
    sent: int
    digest: str
    moments: list[int]


class Journal:
    """The progress of one import: `open`, `resume`, then `acknowledged` again and again; at last `close`.

    `moments` are the `received_at` of all runs that this one continues, and its own. What cannot be written is said,
    once, and then done without.
    """

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._file = folder / "unknown"
        self._kept: _Kept | None = None
        self._hash = hashlib.sha256()
        self._sent = 0
        self._epoch = ""
        self._usable = True
        self.moments: list[int] = []

    def open(self, import_id: str, epoch: str, now: int) -> None:
        """Look up the import. `epoch` is that of the topic written to; `now` this run's moment."""
        self._file, self._epoch, self.moments = self._folder / f"{import_id}.json", epoch, [now]
        try:
            kept = msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            return
        self._kept = kept if kept.epoch == epoch else None

    def resume(self, lines: Iterable[int]) -> int:
        """How many of the lines, given in the order of sending, have been acknowledged already."""
        if self._kept is None:
            return 0
        found, count = hashlib.sha256(), 0
        for block in _blocks(islice(lines, self._kept.sent)):
            found.update(block.tobytes())
            count += len(block)
        if (count, found.hexdigest()) != (self._kept.sent, self._kept.digest):
            return 0
        self._hash, self._sent = found, count
        self.moments = sorted({*self._kept.moments, *self.moments})
        return count

    def acknowledged(self, lines: array[int]) -> None:
        """Note that the next lines are safe. To be called only once Kafka has acknowledged them."""
        self._hash.update(lines.tobytes())
        self._sent += len(lines)
        if not self._usable:
            return
        kept = _Kept(self._epoch, self._sent, self._hash.hexdigest(), self.moments)
        new = self._file.with_suffix(f".{os.getpid()}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new.write_bytes(msgspec.json.encode(kept))
            new.replace(self._file)
        except OSError as error:
            self._usable = False
            why = f"{self._folder} cannot be written ({error.strerror})"
            self._say(f"{why}: this import goes on, but would begin anew if it were interrupted")

    def close(self) -> None:
        """Forget the import: all of it has landed, and the same command means to send it anew."""
        try:
            self._file.unlink(missing_ok=True)
            self._folder.rmdir()
        except OSError:
            """Another import's progress is kept there too, or nothing ever was."""


def _blocks(lines: Iterator[int]) -> Iterator[array[int]]:
    while block := array("q", islice(lines, _BLOCK)):
        yield block
