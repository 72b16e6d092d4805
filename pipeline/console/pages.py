"""The pages: overview, customers at risk, one customer."""

from __future__ import annotations

import asyncio
import re
import uuid
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.collector.refusal import Refusal
from pipeline.console.figures import Overview
from pipeline.console.front_desk import FrontDesk
from pipeline.console.gate import common
from pipeline.console.render import page
from pipeline.console.session import Session
from pipeline.console.warehouse import Row, Warehouse

LEVELS = ("critical", "high", "medium")
ROWS = 25
TOUCHPOINTS = 50
FIRST_ROWS = 5
SUGGESTIONS = 20
SAID = {
    "acknowledged": "The alert is yours now, and is not delivered to anybody any more.",
    "snoozed": "Snoozed: no alert is raised for this customer meanwhile.",
    "awake": "The snooze is over: alerts are raised again.",
    "later": "Kafka has your order. It has not reached ClickHouse yet, so this page may still show what was before.",
}
"""What is said of an action after it; the address names only which."""

_PLACE = re.compile(r"([1-9][0-9]{0,17})\.([0-9a-f-]{36})")
_FROM_THE_NEWEST = (0, str(uuid.UUID(int=0)))
_MOST_PAGES = 100_000


class Pages:
    """Asks the views, and renders what they answer."""

    def __init__(self, warehouse: Warehouse, overview: Overview) -> None:
        self._warehouse = warehouse
        self._desk = FrontDesk(warehouse)
        self._overview = overview

    async def overview(self, _: Request, session: Session) -> Response:
        """GET /console."""
        figures, first = await asyncio.gather(
            self._overview.figures(), self._warehouse.rows("console_at_risk", level="", limit=FIRST_ROWS, offset=0)
        )
        return page("overview", **common(session, "overview"), figures=figures, levels=LEVELS, first=first)

    async def figures(self, _: Request) -> Response:
        """GET /console/figures.json."""
        return JSONResponse((await self._overview.figures()).to_json())

    async def at_risk(self, request: Request, session: Session) -> Response:
        """GET /console/at-risk?level=&page=."""
        level = request.query_params.get("level", "")
        if level not in ("", *LEVELS):
            raise Refusal(422, "level", f"level must be one of {', '.join(LEVELS)}, or empty for all")
        number = _page_number(request.query_params.get("page", "1"))
        counted, rows = await asyncio.gather(
            self._warehouse.rows("console_levels"),
            self._warehouse.rows("console_at_risk", level=level, limit=ROWS, offset=(number - 1) * ROWS),
        )
        counts = {name: next((row["customers"] for row in counted if row["level"] == name), 0) for name in LEVELS}
        total = counts[level] if level else sum(counts.values())
        return page(
            "at_risk",
            **common(session, "at_risk"),
            **_around(request),
            rows=rows,
            counts=counts,
            level=level,
            total=total,
            first=(number - 1) * ROWS + 1,
            number=number,
            has_more=number * ROWS < total,
        )

    async def customer(self, request: Request, session: Session) -> Response:
        """GET /console/customer?id=&before=: by a query, since an id may hold anything, `..` and slashes too."""
        wanted = request.query_params.get("id", "")
        before_ms, before_id = _place(request.query_params.get("before", ""))
        found = await self._found(wanted)
        if found is None:
            return await self._unknown(session, wanted.strip())
        rows = await self._warehouse.rows(
            "console_timeline",
            keys=[found["customer_id"], *found["linked_ids"]],
            before_ms=before_ms,
            before_id=before_id,
            limit=TOUCHPOINTS + 1,
        )
        return page(
            "customer",
            **common(session, ""),
            **_around(request),
            customer=found,
            timeline=rows[:TOUCHPOINTS],
            older=_place_of(rows[TOUCHPOINTS - 1]) if len(rows) > TOUCHPOINTS else "",
            is_newest=before_ms == 0,
        )

    async def _found(self, wanted: str) -> Row | None:
        """Who has this id, or has it without the blanks around it that came along with what was typed."""
        for each in dict.fromkeys((wanted, wanted.strip())):
            if each and (row := await self._desk.look_up(each)):
                return row
        return None

    async def _unknown(self, session: Session, wanted: str) -> Response:
        like = await self._warehouse.rows("console_named_like", start=wanted, limit=SUGGESTIONS)
        return page("unknown", 404, **common(session, ""), wanted=wanted, like=like)


def _around(request: Request) -> dict[str, Any]:
    """What was said of the action before, and where the next one leads back to."""
    address = request.url.remove_query_params("said")
    return {
        "said": SAID.get(request.query_params.get("said", ""), ""),
        "back": address.path + (f"?{address.query}" if address.query else ""),
    }


def _page_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_PAGES):
        raise Refusal(422, "page", f"page must be a number from 1 to {_MOST_PAGES:,}")
    return int(text[:9])


def _place(text: str) -> tuple[int, str]:
    """A place in a timeline, as its link names it. Raises Refusal."""
    if not text:
        return _FROM_THE_NEWEST
    found = _PLACE.fullmatch(text)
    try:
        return (int(found[1]), str(uuid.UUID(found[2]))) if found else _no_place()
    except ValueError:
        return _no_place()


def _place_of(row: Row) -> str:
    return f"{row['occurred_ms']}.{row['event_id']}"


def _no_place() -> tuple[int, str]:
    raise Refusal(422, "before", "before must be a place as the link to older touchpoints names it")
