"""What the tests of identities share: landing every record twice, asking the stitched views."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from sinks.clickhouse import Client
from tests.integration.sinks_samples import block, values
from tests.integration.sinks_server import database
from tests.reference import MINUTE, START, Record, touchpoint

__all__ = ["Rows", "database", "everything", "land", "of_person", "persons", "seen", "statuses", "stitched"]

_offsets = count(step=1_000_000)
_ORDER = {
    "touchpoints": "person_id, customer_id, event_id",
    "visits": "person_id, started_at, visit_id",
    "journeys": "person_id, started_at, journey_id",
}

Rows = list[tuple[Any, ...]]


def seen(number: int, minutes: float, customer: str | None, device: str | None, **fields: Any) -> Record:
    """A touchpoint some minutes after the start, as the edge keys it; `number` makes its id."""
    key = customer if customer is not None else f"anon:{device}"
    return touchpoint(number, START + round(minutes * MINUTE), customer_id=key, anonymous_id=device, **fields)


async def land(client: Client, *records: Record, times: int = 2) -> None:
    """Land the records, and all of them again at later offsets."""
    for _ in range(times):
        body = block("touchpoints", values("touchpoints", list(records), next(_offsets)))
        await client.insert_avro("touchpoints_log", body, "token")


async def stitched(client: Client, what: str, columns: str = "*") -> Rows:
    """The rows of stitched_<what>, of everyone."""
    return await client.query(f"SELECT {columns} FROM stitched_{what} ORDER BY {_ORDER[what]}")


async def of_person(client: Client, what: str, person: str, columns: str = "*") -> Rows:
    """The rows of person_<what> for one person."""
    asked = f"SELECT {columns} FROM person_{what}(person = {{who:String}}) ORDER BY {_ORDER[what]}"
    return await client.query(asked, {"who": person})


async def everything(client: Client) -> dict[str, Rows]:
    """All that the stitched views show."""
    return {what: await stitched(client, what) for what in _ORDER}


async def persons(client: Client) -> dict[str, list[int]]:
    """Whose each touchpoint is: the numbers of the touchpoints by person, in order."""
    found: dict[str, list[int]] = {}
    for person, event_id in await stitched(client, "touchpoints", "person_id, event_id"):
        found.setdefault(person, []).append(event_id.int)
    return {person: sorted(numbers) for person, numbers in found.items()}


async def statuses(client: Client) -> dict[tuple[str, str], str]:
    """The status of each link."""
    rows: Sequence[tuple[Any, ...]] = await client.query("SELECT anonymous_id, customer_id, status FROM identities")
    return {(device, customer): status for device, customer, status in rows}
