"""Who is told of an alert, and when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.alerts.quiet import QuietHours
from pipeline.model import Record

MINUTE = 60_000


@dataclass(frozen=True)
class Destination:
    """Where alerts go. The address and the secret are shown nowhere."""

    name: str
    kind: str
    url: str = field(repr=False)
    secret: bytes = field(default=b"", repr=False)
    timeout_seconds: float = 10.0
    give_up: int = 24 * 60 * MINUTE
    """For how many milliseconds an alert is tried again."""


@dataclass(frozen=True)
class Route:
    """Alerts of these levels, channels and segments, of customers worth at least so much; empty means any.

    What is not known of a customer is not among what is asked for.
    """

    destinations: tuple[str, ...]
    levels: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    minimum_value: float | None = None
    quiet: QuietHours | None = None
    digest: int = 0
    """For how many milliseconds alerts are gathered into one message; 0: each goes by itself."""

    def takes(self, alert: Record) -> bool:
        """Whether the route is this alert's, or that of the alert which it says is over."""
        return (
            (not self.levels or level_of(alert) in self.levels)
            and (not self.channels or not self.channels.isdisjoint(alert["channels"]))
            and (not self.segments or alert["segment"] in self.segments)
            and (self.minimum_value is None or (alert["value"] is not None and alert["value"] >= self.minimum_value))
        )

    def when(self, alert: Record) -> When:
        """From when the alert may be sent, counted from the moment it was raised for."""
        moment = alert["raised_at"]
        bucket = None
        if self.digest:
            bucket = moment // self.digest
            moment = (bucket + 1) * self.digest
        if self.quiet is None or (self.quiet.critical_passes and level_of(alert) == "critical"):
            return When(moment, bucket)
        return When(self.quiet.over_at(moment), bucket)


class When(NamedTuple):
    """From when something may be sent, UTC milliseconds, and the number of the digest it is gathered into, if any."""

    moment: int
    digest: int | None


def level_of(alert: Record) -> str:
    """The level that the alert was raised at."""
    return str(alert["level"] if alert["about"] is None else alert["previous_level"])


def told(alert: Record, routes: Iterable[Route]) -> Iterator[tuple[str, When]]:
    """To whom an alert goes, and when: each destination once, by the first route that names it."""
    seen: set[str] = set()
    for route in routes:
        if route.takes(alert):
            for name in route.destinations:
                if name not in seen:
                    seen.add(name)
                    yield name, route.when(alert)
