"""Follows the file of keys while a collector runs."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from pipeline.collector import key_file
from pipeline.collector.keys import Key, Keys
from pipeline.errors import ConfigurationError

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0

_Seen = tuple[int, int, int] | None


class KeyWatch:
    """The keys that are always good, and those of the file as it is now; `file` None: there is none.

    Raises ConfigurationError when the file is broken from the start, or when there is neither a key nor a file.
    """

    def __init__(self, always: Iterable[Key], file: Path | None) -> None:
        self._always = tuple(always)
        self._file = file
        if not self._always and file is None:
            raise ConfigurationError(
                "TOUCHLINE_WRITE_KEYS: set at least one write key, comma-separated, or TOUCHLINE_KEYS_FILE"
            )
        self._looked_at = float("-inf")
        self._seen = _signature(file)
        self._problem = ""
        self.keys = Keys((*self._always, *(key_file.read_if_any(file) if file else ())))
        if not len(self.keys):
            log.warning("%s has no keys yet, so nothing is taken in: make one with `touchline keys create`", file)

    def current(self, now: float) -> Keys:
        """Return the keys, having looked at the file within the last LOOK_SECONDS; `now` is a monotonic time."""
        if self._file is not None and now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self._look(self._file)
        return self.keys

    @property
    def broken(self) -> bool:
        """Tell whether the file has become something that cannot be read, so that the keys before are still used."""
        return bool(self._problem)

    def _look(self, file: Path) -> None:
        """Read the file if it has changed; while that fails, try again at every look and say each problem once."""
        seen = _signature(file)
        if seen == self._seen:
            self._problem = ""
            return
        try:
            self.keys = Keys((*self._always, *key_file.read(file)))
        except ConfigurationError as error:
            if self._problem != str(error):
                self._problem = str(error)
                log.error("the keys are still those before: %s", error)  # noqa: TRY400 (the message says it all)
        else:
            self._seen, self._problem = seen, ""
            log.info("%d keys are good now", len(self.keys))


def _signature(file: Path | None) -> _Seen:
    """What changes whenever the file does; None when it cannot be seen."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
