"""The diary of one person: every touchpoint is written through it, in the fields of the wire."""

from __future__ import annotations

from random import Random
from typing import Any

from pipeline.catalogue import catalogue
from pipeline.simulator.clock import DAY, Hours, rfc3339, settle
from pipeline.simulator.people import Person

Event = dict[str, Any]
Entry = tuple[float, Event]
"""When it happened, and the touchpoint."""

_KNOWN = {
    f"{channel.name}.{name}": (channel.name, name, defaults.direction == "inbound")
    for channel, name, defaults in catalogue().rows()
}
_BROWSED = frozenset({"web", "self_service", "advertising", "link"})
_LOCAL_TIMES = frozenset({"in_store", "phone"})


def is_inbound(event: Event) -> bool:
    """Whether the customer did it, rather than the company."""
    return _KNOWN[f"{event['channel']}.{event['touchpoint']}"][2]


def mint(rng: Random) -> str:
    """Draw a UUID (version 4) out of the simulation's own randomness."""
    digits = f"{rng.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def milliseconds(seconds: float) -> int:
    """Turn seconds into the wire's milliseconds."""
    return int(seconds * 1000)


class Diary:
    """What one person and the company did to each other, up to now.

    The person does nothing after `ends`; the company may still write to them. While not `logged_in`, what
    they do in a browser is known only by the browser's id.
    """

    def __init__(self, person: Person, rng: Random, now: float) -> None:
        self.person = person
        self.rng = rng
        self.now = now
        self.ends = now
        self.logged_in = True
        self.reads_mail = person.reads_mail
        self.unsubscribed = now
        self.last_case: str | None = None
        self.entries: list[Entry] = []

    def write(self, at: float, what: str, **details: object) -> None:
        """Write down `channel.touchpoint` with the wire's fields; details that are None are left out."""
        channel, touchpoint, inbound = _KNOWN[what]
        event: Event = {"event_id": mint(self.rng)}
        if at > self.now or (inbound and at > self.ends):
            return
        if channel in _BROWSED:
            event["anonymous_id"] = self.person.browser
        if channel not in _BROWSED or self.logged_in:
            event["customer_id"] = self.person.customer_id
        event["occurred_at"] = rfc3339(at, channel in _LOCAL_TIMES)
        event["channel"], event["touchpoint"] = channel, touchpoint
        event.update((name, value) for name, value in details.items() if value is not None)
        self.entries.append((at, event))

    def chance(self, probability: float) -> bool:
        """Whether something of that probability happens."""
        return self.rng.random() < probability

    def pick(self, *choices: str) -> str:
        """One of the choices, each as likely."""
        return choices[int(self.rng.random() * len(choices))]

    def pause(self, low: float, high: float) -> float:
        """Draw a number of seconds between the two."""
        return low + (high - low) * self.rng.random()

    def later(self, at: float, low_days: float, high_days: float, hours: Hours | None = None) -> float:
        """Draw a time of day some days after `at`, in the person's own hours unless others are given."""
        day = at + self.pause(low_days, high_days) * DAY
        return max(at + 600, settle(day, hours or self.person.segment.hours, self.rng))

    def reference(self, kind: str) -> str:
        """Draw a fresh order, ticket or deal number."""
        return f"{kind}-{self.rng.randrange(10**7, 10**8)}"

    def mood(self, felt: float) -> float:
        """Draw the sentiment heard in what the person says, -1 to 1, when feeling so."""
        heard = 0.75 * felt + 0.35 * self.person.temper + self.rng.gauss(0, 0.15)
        return round(max(-1.0, min(1.0, heard)), 2)

    def money(self, median: float) -> float:
        """Draw an amount around a median, to the cent."""
        return round(median * self.rng.lognormvariate(0, 0.5), 2)
