"""What became of the events: counts, and the events that were refused."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.emitter.event import Event

log = logging.getLogger(__name__)


class Problem(NamedTuple):
    """Why an event was refused: a stable code, the field it is about, and what to do, in words."""

    code: str
    path: str
    message: str


@dataclass(frozen=True)
class Rejection:
    """An event that the collector refused; sending it again as it is would change nothing."""

    event_id: str
    event: dict[str, Any]
    problems: tuple[Problem, ...]


OnRejected = Callable[[Rejection], None]


@dataclass(frozen=True)
class Stats:
    """Counts since the emitter was made.

    emitted = accepted + rejected + undelivered (given up by close) + buffered; dropped events were never emitted.
    """

    emitted: int = 0
    accepted: int = 0
    rejected: int = 0
    undelivered: int = 0
    dropped: int = 0
    buffered: int = 0
    requests: int = 0
    retries: int = 0


class Report:
    """Counts, and tells whoever wants to know about refused events."""

    def __init__(self, on_rejected: OnRejected | None) -> None:
        self._on_rejected = on_rejected
        self.emitted = 0
        self.accepted = 0
        self.rejected = 0
        self.undelivered = 0
        self.dropped = 0
        self.requests = 0
        self.retries = 0

    @property
    def settled(self) -> int:
        """How many of the emitted events nothing more will happen to; they settle in the order emitted."""
        return self.accepted + self.rejected + self.undelivered

    def taken(self, events: list[Event], refused: dict[int, tuple[Problem, ...]]) -> None:
        """Note the collector's answer about a batch; `refused` is by index."""
        for index, problems in refused.items():
            self._reject(events[index], problems)
        self.accepted += len(events) - len(refused)
        self.rejected += len(refused)

    def refused(self, events: Iterable[Event], problem: Problem) -> None:
        """Note that all these events were refused for one reason."""
        for event in events:
            self._reject(event, (problem,))
            self.rejected += 1

    def stats(self) -> Stats:
        """Return the counts of now."""
        counted = dict(vars(self))
        del counted["_on_rejected"]
        return Stats(**counted, buffered=self.emitted - self.settled)

    def _reject(self, event: Event, problems: tuple[Problem, ...]) -> None:
        if self._on_rejected is None:
            log.warning("event %s was refused: %s", event.event_id, "; ".join(p.message for p in problems))
            return
        try:
            self._on_rejected(Rejection(event.event_id, json.loads(event.raw), problems))
        except Exception:
            log.exception("on_rejected failed for event %s", event.event_id)
