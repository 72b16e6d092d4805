"""The registry file in use: read at the start, and again when it has changed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import ConfigurationError
from pipeline.links import Links, read

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
_Signature = tuple[int, int, int]


def open_links(path: Path) -> Links:
    """Read the file. Raises ConfigurationError that names the file, the key and the fix."""
    links, problems = read(text_of(path))
    if problems:
        more = f" (and {len(problems) - 1} more: `touchline links check`)" if len(problems) > 1 else ""
        raise ConfigurationError(f"TOUCHLINE_LINKS: {path}: {problems[0].message}{more}")
    return links


def text_of(path: Path) -> str:
    """What the file holds. Raises ConfigurationError that says why it cannot be read."""
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"TOUCHLINE_LINKS: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"TOUCHLINE_LINKS: {path} is not UTF-8 at byte {error.start}") from error


class Book:
    """The links of a file. Raises ConfigurationError at the start when it cannot be used."""

    def __init__(self, path: Path, on_failure: Callable[[], None]) -> None:
        self._path = path
        self._on_failure = on_failure
        self._signature = _signature(path)
        self._links = open_links(path)
        self._looked = time.monotonic()

    def __len__(self) -> int:
        return len(self._links)

    async def current(self) -> Links:
        """The links as they are now, or were at most a second ago; while the file is broken, those before."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            self._looked = time.monotonic()
            if (signature := _signature(self._path)) != self._signature:
                self._signature = signature
                await self._reload()
        return self._links

    async def _reload(self) -> None:
        """Read in a thread: a large registry would hold up everybody else."""
        signature = self._signature
        try:
            links = await asyncio.to_thread(open_links, self._path)
        except ConfigurationError as error:
            self._on_failure()
            log.error("the links stay as they were: %s", error)  # noqa: TRY400 (its text is all there is to know)
            return
        if signature == self._signature:
            self._links = links
            log.info("%d links from %s", len(links), self._path)


def _signature(path: Path) -> _Signature | None:
    """What changes with the file; None while there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
