"""Who an id belongs to and what to know of them: the row of view screen_pop, asked for in its parts.

ClickHouse plans a query of many parts for longer than it reads one customer, and plans on one core. So each part is a
small query that reads rows, all that do not wait for each other are asked at once, a part that this id does not need is
not asked, and the sums are made here (contacts.py, standing.py). A test holds this answer and the view's equal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from pipeline.console.contacts import contacts
from pipeline.console.standing import alert_columns
from pipeline.console.touches import Alert, Touch
from pipeline.console.warehouse import Row, Warehouse
from pipeline.model import ANONYMOUS_PREFIX

ROWS = 2_000
"""What has more touchpoints is added up by ClickHouse: here it would keep others from the event loop."""


class FrontDesk:
    """Looks people up by any of their ids; up to `rows` touchpoints of a person are held at a time."""

    def __init__(self, warehouse: Warehouse, rows: int = ROWS) -> None:
        self._warehouse = warehouse
        self._rows = rows

    async def look_up(self, asked: str) -> Row | None:
        """The row as screen_pop has it, or None for an id that was never seen. Raises what `Warehouse.rows` raises.

        A customer's own id is theirs, whatever device is named alike, as in view person_keys. Moments are RFC 3339 in
        UTC. Each part is of its own moment: what lands in between may show in one and not yet in another.
        """
        key = asked
        if not asked.startswith(ANONYMOUS_PREFIX):
            if row := await self._row(asked, {}, only_if_seen=True):
                return row
            key = ANONYMOUS_PREFIX + asked
        owners = await self._owners([key])
        return await self._row(owners.get(key, key), owners)

    async def _row(self, person: str, owners: Mapping[str, str], *, only_if_seen: bool = False) -> Row | None:
        """The row of a person; `owners`: of devices' keys, where they are known already.

        `only_if_seen`: None for one who has touchpoints under other keys only, too.
        """
        now = datetime.now(UTC)
        (linked, touches), [gap], [risk], alerts = await asyncio.gather(
            self._touched(person, owners),
            self._warehouse.rows("front_gap"),
            self._warehouse.rows("front_risk", person=person),
            self._warehouse.records("front_alerts", Alert, person=person),
        )
        if only_if_seen and not await self._is_seen(person, touches):
            return None
        if len(touches) > self._rows:
            found = await self._warehouse.row("front_contacts", keys=[person, *linked])
        else:
            theirs = {person, *linked}
            found = contacts((touch for touch in touches if touch.customer_id in theirs), gap["gap_days"], now)
        standing = {**risk, **alert_columns(alerts, now)}
        return found and {"customer_id": person, "linked_ids": linked, **found, **standing}

    async def _touched(self, person: str, known: Mapping[str, str]) -> tuple[list[str], list[Touch]]:
        """The person's other keys, and the touchpoints of all keys that could be theirs."""
        rows = await self._warehouse.rows("front_devices", customer=person)
        candidates = sorted({ANONYMOUS_PREFIX + row["device"] for row in rows} - {person})
        unknown = [key for key in candidates if key not in known]
        owners, touches = await asyncio.gather(self._owners(unknown), self._touches([person, *candidates]))
        return [key for key in candidates if {**known, **owners}.get(key) == person], touches

    async def _is_seen(self, person: str, touches: Sequence[Touch]) -> bool:
        """Whether a person has touchpoints of their own, be they among those held or not."""
        if len(touches) > self._rows:
            touches = await self._touches([person])
        return any(touch.customer_id == person for touch in touches)

    async def _owners(self, keys: Sequence[str]) -> dict[str, str]:
        """The customers these keys of devices belong to, as far as each is exactly one customer's."""
        devices = [key.removeprefix(ANONYMOUS_PREFIX) for key in keys]
        rows = await self._warehouse.rows("front_owners", devices=devices) if devices else []
        return {ANONYMOUS_PREFIX + row["device"]: row["owner"] for row in rows}

    async def _touches(self, keys: Sequence[str]) -> list[Touch]:
        """The touchpoints of these keys; of too many, one more than are held."""
        return await self._warehouse.records("front_touches", Touch, keys=list(keys), limit=self._rows + 1)
