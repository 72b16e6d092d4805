"""Shows on standard error how far the demo is: bars on a terminal, one line a phase elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

Step = Callable[[int, int], None]
"""Called with how much is done and how much there is."""


class Phases:
    """The phases of a run; `seconds` says how long each took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._bars = Progress(
            TextColumn("{task.description:<34}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print one line, above the bars where there are any."""
        self._bars.console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def phase(self, name: str) -> Iterator[Step]:
        """Show and time one phase."""
        began = time.monotonic()
        task = self._bars.add_task(name, total=None)
        yield lambda done, total: self._bars.update(task, completed=done, total=total)
        self.seconds[name] = took = time.monotonic() - began
        whole = self._bars.tasks[task].total or 1
        self._bars.update(task, completed=whole, total=whole)
        self._bars.stop_task(task)
        if self._bars.disable:
            self.say(f"{name}: {took:.1f} s")
