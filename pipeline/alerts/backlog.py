"""What is still to be delivered, by the log alone: every alert for every destination, less what is finished. Pure.

Reading the log from the position of its partition again gives the same backlog again, however often it was read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipeline.alerts.plan import Plan
from pipeline.alerts.routes import When, told
from pipeline.model import Record

_ALERTS = frozenset({"raised", "over"})
_FINISHED = frozenset({"delivered", "given_up"})
Key = tuple[str, str]
"""An alert's id and the name of a destination."""


@dataclass(eq=False)
class Delivery:
    """One alert for one destination: where its record stands, from when to send it (UTC milliseconds), its attempts.

    Nothing is written of one that is `forgotten`, not even what an attempt under way came to.
    """

    alert: Record
    destination: str
    partition: int
    offset: int
    due: int
    digest: int | None
    began: int
    attempts: int = 0
    done: bool = False
    forgotten: bool = False

    @property
    def key(self) -> Key:
        """By which it is known."""
        return self.alert["alert_id"], self.destination


class Backlog:
    """The deliveries open in the partitions read."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._next: dict[int, int] = {}
        self._open: dict[int, Counter[int]] = {}
        self._deliveries: dict[Key, Delivery] = {}

    def __len__(self) -> int:
        return len(self._deliveries)

    def begin(self, positions: Mapping[int, int]) -> None:
        """Forget everything: these partitions, and no others, are read from here on."""
        for delivery in self._deliveries.values():
            delivery.done = True
        self._deliveries.clear()
        self._next = dict(positions)
        self._open = {partition: Counter() for partition in positions}

    def owns(self, partition: int) -> bool:
        """Whether the partition is among those that are read."""
        return partition in self._next

    def read(self, partition: int, offset: int, record: Record) -> Iterator[Delivery]:
        """Take in the record that stands there; the deliveries that it opens."""
        status = record["status"]
        if status in _ALERTS:
            for name, when in told(record, self._plan.routes):
                yield self._opened(partition, offset, record, name, when)
        elif status == "again" and record["destination"] in self._plan.destinations:
            when = When(record["attempted_at"], None)
            yield self._opened(partition, offset, record, record["destination"], when)
        elif status == "acknowledged":
            for name in self._plan.destinations:
                self.finish((record["about"], name))
        elif status in _FINISHED:
            self.finish((record["alert_id"], record["destination"]))
        elif status == "failed" and (found := self._deliveries.get((record["alert_id"], record["destination"]))):
            found.attempts = max(found.attempts, record["attempt"])

    def passed(self, partition: int, position: int) -> None:
        """Note that all before the position has been read."""
        self._next[partition] = position

    def finish(self, key: Key) -> None:
        """Close a delivery, if it is open."""
        if (found := self._deliveries.pop(key, None)) is not None:
            self._close(found)

    def forget(self, partition: int, customer_id: str) -> None:
        """Close all deliveries about a customer."""
        for delivery in list(self._deliveries.values()):
            if delivery.partition == partition and delivery.alert["customer_id"] == customer_id:
                delivery.forgotten = True
                self.finish(delivery.key)

    def position(self, partition: int) -> int:
        """From where the log must be read again after a restart: the lowest record that has a delivery open."""
        return next(iter(self._open[partition]), self._next[partition])

    def _opened(self, partition: int, offset: int, alert: Record, name: str, when: When) -> Delivery:
        self.finish((alert["alert_id"], name))
        made = Delivery(alert, name, partition, offset, when.moment, when.digest, when.moment, alert["attempt"])
        self._deliveries[made.key] = made
        self._open[partition][offset] += 1
        return made

    def _close(self, delivery: Delivery) -> None:
        delivery.done = True
        offsets = self._open[delivery.partition]
        offsets[delivery.offset] -= 1
        if not offsets[delivery.offset]:
            del offsets[delivery.offset]
