"""Who an id belongs to and what to know of them: the row of view screen_pop, asked for in its parts.

ClickHouse plans a query of many parts for longer than it reads one customer, and plans on one core. Asked one by one,
each part is planned once, the parts that do not wait for each other on several cores, and a part that this id does not
need is not asked. The parts are the views that screen_pop is made of; a test holds both answers equal.
"""

from __future__ import annotations

import asyncio

from pipeline.console.warehouse import Row, Warehouse

_ANONYMOUS = "anon:"


class FrontDesk:
    """Looks people up by any of their ids."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse

    async def look_up(self, asked: str) -> Row | None:
        """The row as screen_pop has it, or None for an id that was never seen. Raises what `Warehouse.rows` raises.

        Moments are RFC 3339 in UTC. Each part is of its own moment: what lands in between may show in one and not yet
        in another.
        """
        person, devices = await self._person(asked)
        candidates = [person, *sorted(_ANONYMOUS + device for device in devices)]
        contacts, standing, owners = await asyncio.gather(
            self._contacts(candidates),
            self._warehouse.row("front_standing", person=person),
            self._owners(devices),
        )
        theirs = {_ANONYMOUS + device for device, owner in owners.items() if owner == person}
        keys = [person, *(key for key in candidates[1:] if key in theirs)]
        if keys != candidates:  # rare: a device that others use too, or a link taken back
            contacts = await self._contacts(keys)
        if contacts is None:
            return None
        return {"customer_id": person, "linked_ids": keys[1:], **contacts, **(standing or {})}

    async def _person(self, asked: str) -> tuple[str, list[str]]:
        """Whose the id is, and every device that could be theirs: as in view person_keys."""
        seen, devices = await self._devices(asked)
        if seen and not asked.startswith(_ANONYMOUS):
            return asked, devices
        device = asked.removeprefix(_ANONYMOUS)
        person = (await self._owners([device])).get(device, _ANONYMOUS + device)
        return person, (devices if person == asked else (await self._devices(person))[1])

    async def _devices(self, customer: str) -> tuple[bool, list[str]]:
        row = await self._warehouse.row("front_devices", customer=customer)
        return (bool(row["seen"]), row["devices"]) if row else (False, [])

    async def _owners(self, devices: list[str]) -> dict[str, str]:
        """Who owns these devices, as far as exactly one customer does."""
        rows = await self._warehouse.rows("front_owners", devices=devices) if devices else []
        return {row["device"]: row["owner"] for row in rows}

    async def _contacts(self, keys: list[str]) -> Row | None:
        return await self._warehouse.row("front_contacts", keys=keys)
