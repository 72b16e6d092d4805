"""Who an id belongs to and what to know of them: the row of view screen_pop, asked for in its parts.

ClickHouse plans a query of many parts for longer than it reads one customer, and plans on one core. So each part is a
small query that reads rows, those that do not wait for each other are asked at once, a part that this id does not need
is not asked, and the sums are made here (contacts.py, standing.py). A test holds this answer and the view's equal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.console.contacts import contacts
from pipeline.console.standing import alert_columns
from pipeline.console.touches import Alert, Touch
from pipeline.console.warehouse import Row, Warehouse
from pipeline.model import ANONYMOUS_PREFIX

ROWS = 2_000
"""What has more touchpoints is added up by ClickHouse: here it would keep others from the event loop."""


@dataclass(frozen=True)
class _Begun:
    """What is known of a person before their other keys are: which of the `candidates` are theirs is to be asked."""

    person: str
    touches: Sequence[Touch]
    candidates: Sequence[str]
    gap_days: int
    standing: Row
    now: datetime


class FrontDesk:
    """Looks people up by any of their ids. Of a person, and of their other keys, up to `rows` touchpoints are held."""

    def __init__(self, warehouse: Warehouse, rows: int = ROWS) -> None:
        self._warehouse = warehouse
        self._rows = rows

    async def look_up(self, asked: str) -> Row | None:
        """The row as screen_pop has it, or None for an id that was never seen. Raises what `Warehouse.rows` raises.

        Moments are RFC 3339 in UTC. Each part is of its own moment: what lands in between may show in one and not yet
        in another.
        """
        if asked.startswith(ANONYMOUS_PREFIX):
            return await self._finish(await self._begin(await self._person(asked)))
        begun = await self._begin(asked)
        if not begun.touches:  # no customer's id: as in view person_keys
            begun = await self._begin(await self._person(ANONYMOUS_PREFIX + asked))
        return await self._finish(begun)

    async def _person(self, key: str) -> str:
        """Whose the key of a device is: its own, where the device is not exactly one customer's."""
        return (await self._owners([key])).get(key, key)

    async def _begin(self, person: str) -> _Begun:
        now = datetime.now(UTC)
        touches, corrections, [gap], [risk], alerts = await asyncio.gather(
            self._touches([person]),
            self._warehouse.rows("front_corrections", customer=person),
            self._warehouse.rows("front_gap"),
            self._warehouse.rows("front_risk", person=person),
            self._warehouse.records("front_alerts", Alert, person=person),
        )
        corrected = {row["device"] for row in corrections}
        keys = {ANONYMOUS_PREFIX + device for device in corrected | await self._devices(person, touches)}
        return _Begun(
            person=person,
            touches=touches,
            candidates=sorted(keys - {person}),
            gap_days=gap["gap_days"],
            standing={**risk, **alert_columns(alerts, now)},
            now=now,
        )

    async def _devices(self, person: str, touches: Sequence[Touch]) -> set[str]:
        """The devices a person was seen with."""
        if len(touches) > self._rows:
            [found] = await self._warehouse.rows("front_devices", customer=person)
            return set(found["devices"])
        return {touch.anonymous_id for touch in touches if touch.anonymous_id is not None}

    async def _finish(self, begun: _Begun) -> Row | None:
        linked, others = await self._linked(begun)
        if max(len(begun.touches), len(others)) > self._rows:
            found = await self._warehouse.row("front_contacts", keys=[begun.person, *linked])
        else:
            theirs = (touch for touch in others if touch.customer_id in linked)
            found = contacts([*begun.touches, *theirs], begun.gap_days, begun.now)
        return found and {"customer_id": begun.person, "linked_ids": linked, **found, **begun.standing}

    async def _linked(self, begun: _Begun) -> tuple[list[str], Sequence[Touch]]:
        """The person's other keys, and the touchpoints of all that could have been."""
        if not begun.candidates:
            return [], ()
        owners, others = await asyncio.gather(self._owners(begun.candidates), self._touches(begun.candidates))
        linked = [key for key in begun.candidates if owners.get(key) == begun.person]
        return linked, others if linked else ()

    async def _owners(self, keys: Sequence[str]) -> dict[str, str]:
        """The customers these keys of devices belong to, as far as each is exactly one customer's."""
        devices = [key.removeprefix(ANONYMOUS_PREFIX) for key in keys]
        rows = await self._warehouse.rows("front_owners", devices=devices)
        return {ANONYMOUS_PREFIX + row["device"]: row["owner"] for row in rows}

    async def _touches(self, keys: Sequence[str]) -> list[Touch]:
        """The touchpoints of these keys; of too many, one more than are held."""
        return await self._warehouse.records("front_touches", Touch, keys=list(keys), limit=self._rows + 1)
