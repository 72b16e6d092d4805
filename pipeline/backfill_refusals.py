"""The refused lines of an import, all of them, in a file of JSON Lines beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec

from pipeline.model import ORIGINAL_LIMIT, Rejected

SUFFIX = ".errors.jsonl"
_encode = msgspec.json.Encoder().encode


class Refusals:
    """Writes {line, code, path, message, original} for each refused line; the file appears whole or not at all.

    Where nothing is refused no file is left, not even that of an earlier run. A place that cannot be written is said
    once, and then done without.
    """

    def __init__(self, path: Path, say: Callable[[str], None]) -> None:
        self._path = path
        self._part = path.with_name(path.name + ".part")
        self._say = say
        self._out: BinaryIO | None = None
        self._usable = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._out is not None:
            self._out.close()
            self._part.unlink(missing_ok=True)

    def add(self, refused: Rejected) -> None:
        """Take one refused line, which knows its number."""
        if not self._usable:
            return
        first = refused.errors[0]
        given = {
            "line": refused.line,
            "code": first.code,
            "path": first.path,
            "message": "; ".join(error.message for error in refused.errors),
            "original": refused.original[:ORIGINAL_LIMIT].decode("utf-8", "backslashreplace"),
        }
        try:
            if self._out is None:
                self._out = self._opened()
            self._out.write(_encode(given) + b"\n")
        except OSError as error:
            self._without(error)

    def finish(self) -> Path | None:
        """Put the file into its place, and return it; None where there is none."""
        if not self._usable:
            return None
        try:
            if self._out is None:
                if self._path.is_file():
                    self._path.unlink()
                return None
            self._out.close()
            self._part.replace(self._path)
        except OSError as error:
            self._without(error)
            return None
        self._out = None
        return self._path

    def _opened(self) -> BinaryIO:
        if self._path.exists() and not self._path.is_file():
            raise FileExistsError(0, "not a plain file")
        return self._part.open("wb")

    def _without(self, error: OSError) -> None:
        self._usable = False
        self._say(f"{self._path} cannot be written ({error.strerror}): touchline rejected list names what is refused")
