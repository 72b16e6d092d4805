"""Links between anonymous ids and customers: which there are, and correcting them by hand.

Nothing is rewritten: a correction is one row, which the view `identities` weighs and the stitched views follow.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from pipeline.errors import UsageError
from pipeline.model import ANONYMOUS_PREFIX
from sinks import sql
from sinks.clickhouse import Client

ID_LENGTH = 200
_COLUMNS = ("anonymous_id", "customer_id", "linked", "set_by", "comment")


@dataclass(frozen=True)
class Link:
    """One row of the view `identities`; `shared_with` are the other customers whose links to the id stand.

    The last three are the latest correction by hand: when, by whom and why; no time and empty where there is none.
    """

    anonymous_id: str
    customer_id: str
    status: str
    asserted: bool
    touchpoints: int
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    shared_with: tuple[str, ...]
    corrected_at: datetime | None
    corrected_by: str
    comment: str

    def to_json(self) -> dict[str, Any]:
        """Return what `--json` shows: times as RFC 3339 in UTC."""
        shown = {**vars(self), "shared_with": list(self.shared_with)}
        return {name: as_text(value) if isinstance(value, datetime) else value for name, value in shown.items()}


@dataclass(frozen=True)
class Correction:
    """What somebody sets by hand about one pair: `linked` asserts the link, else it is taken back."""

    anonymous_id: str
    customer_id: str
    linked: bool
    set_by: str = ""
    comment: str = ""


@dataclass(frozen=True)
class Device:
    """How an anonymous id stands: its links, and how many touchpoints were anonymous."""

    anonymous_id: str
    links: tuple[Link, ...]
    anonymous_touchpoints: int

    def __str__(self) -> str:
        standing = [link.customer_id for link in self.links if link.status != "taken_back"]
        what = f"{self.anonymous_id} (anonymous touchpoints: {self.anonymous_touchpoints})"
        if not standing:
            return f"{what} is stitched to nobody"
        if len(standing) == 1:
            return f"{what} is stitched to {standing[0]}"
        return f"{what} is shared by {', '.join(standing)}: stitched to nobody until all but one are taken back"


def as_text(moment: datetime) -> str:
    """Return a UTC moment as RFC 3339 with milliseconds."""
    return moment.replace(tzinfo=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def links(
    client: Client, *, customer_id: str | None = None, anonymous_id: str | None = None, ambiguous: bool = False
) -> list[Link]:
    """Return the links of an anonymous id, of a customer or all, by id; `ambiguous` leaves only those in doubt."""
    wanted = {"customer_id": customer_id, "anonymous_id": anonymous_id, "ambiguous": ambiguous}
    return [_link(row) for row in await client.query(sql.query("identity_links"), wanted)]


async def correct(client: Client, correction: Correction) -> Device:
    """Record a correction and return how the anonymous id stands with it.

    Raises UsageError when an id cannot be one, or when a link is to be taken back that does not stand.
    """
    refuse_impossible(correction)
    if not correction.linked:
        refuse_not_standing(correction, await links(client, anonymous_id=correction.anonymous_id))
    await client.insert_rows(
        "identity_corrections_log", _COLUMNS, [tuple(getattr(correction, name) for name in _COLUMNS)]
    )
    return await device(client, correction.anonymous_id)


async def device(client: Client, anonymous_id: str) -> Device:
    """Return how an anonymous id stands."""
    key = {"customer_id": f"{ANONYMOUS_PREFIX}{anonymous_id}"}
    [(touchpoints,)] = await client.query(sql.query("touchpoints_of_key"), key)
    return Device(anonymous_id, tuple(await links(client, anonymous_id=anonymous_id)), touchpoints)


def refuse_impossible(correction: Correction) -> None:
    """Raise UsageError unless both ids could stand in a touchpoint."""
    for name, value in (("ANONYMOUS", correction.anonymous_id), ("CUSTOMER", correction.customer_id)):
        if not 1 <= len(value) <= ID_LENGTH:
            raise UsageError(f"{name} must have 1 to {ID_LENGTH} characters")
    if correction.customer_id.startswith(ANONYMOUS_PREFIX):
        raise UsageError(f"CUSTOMER {correction.customer_id} is an anonymous key: a link leads to a known customer")


def refuse_not_standing(correction: Correction, known: list[Link]) -> None:
    """Raise UsageError unless the link stands among those of its anonymous id."""
    device_id, customer_id = correction.anonymous_id, correction.customer_id
    found = next((link for link in known if link.customer_id == customer_id), None)
    if found is not None and found.status != "taken_back":
        return
    if found is not None:
        when = f" on {as_text(found.corrected_at)}" if found.corrected_at else ""
        raise UsageError(f"the link of {device_id} to {customer_id} was taken back already{when}")
    others = ", ".join(link.customer_id for link in known)
    fix = f"it is linked to {others}" if others else "it is linked to nobody; see `touchline identities list`"
    raise UsageError(f"{device_id} is not linked to {customer_id}: {fix}")


def _link(row: tuple[Any, ...]) -> Link:
    named: dict[str, Any] = {field.name: value for field, value in zip(fields(Link), row, strict=True)}
    return Link(**{**named, "asserted": bool(named["asserted"]), "shared_with": tuple(named["shared_with"])})
