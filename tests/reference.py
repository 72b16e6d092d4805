"""What a customer's log comes to, computed plainly: sort, cut at the gaps, add up. It shares no code with the core.

Also what a test of the core needs around it: `touchpoint` makes a record, `Consumer` keeps of the published rows what
ClickHouse's views would.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterable, Sequence
from fractions import Fraction
from hashlib import sha1
from itertools import pairwise
from typing import Any

Record = dict[str, Any]

START = 1_700_000_000_123
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
VISIT_GAP = 30 * MINUTE
JOURNEY_GAP = 14 * DAY
HISTORY = 90 * DAY
LONGEST_PATH = 24
CUSTOMER = "ann"

_NAMESPACE = uuid.UUID("a9b5b3de-6f9b-5d57-8a70-0d8f1c0e6b52")
_PURCHASES = {
    "web.purchase",
    "mobile_app.purchase",
    "in_store.purchase",
    "subscription.renewal",
    "subscription.upgrade",
    "sales.deal_won",
}
_COMING_BACK = _PURCHASES | {"subscription.activated", "subscription.trial_start"}
_NOT_DONE = {"failed", "cancelled", "abandoned"}


def touchpoint(number: int, occurred_at: int = START, name: str = "web.page_view", **fields: Any) -> Record:
    """A whole touchpoint record; `number` makes its event_id, and greater numbers are greater ids."""
    channel, _, what = name.partition(".")
    return {
        "event_id": str(uuid.UUID(int=number)),
        "customer_id": CUSTOMER,
        "anonymous_id": None,
        "occurred_at": occurred_at,
        "received_at": START + HISTORY,
        "channel": channel,
        "touchpoint": what,
        "stage": "service",
        "direction": "inbound",
        "outcome": None,
        "sentiment": None,
        "rating_metric": None,
        "rating_score": None,
        "value": None,
        "currency": None,
        "duration_ms": None,
        "wait_ms": None,
        "reference": None,
        "staff_id": None,
        "campaign": None,
        "partner": None,
        "attributes": {},
        "source": "http",
        "import_id": None,
        **fields,
    }


class Story:
    """A customer's whole log, as it should be understood: what counts, cut into visits and journeys."""

    def __init__(self, log: Sequence[Record]) -> None:
        self.touchpoints = sorted(_counted(log), key=_order)
        self._inbound = [record for record in self.touchpoints if record["direction"] == "inbound"]
        self._visits = _cut(self._inbound, VISIT_GAP)
        self._journeys = _cut(self._inbound, JOURNEY_GAP)

    def visits(self) -> dict[str, Record]:
        """The live visits by id, each with the journey it belongs to."""
        journey_of = {record["event_id"]: _id("journey", part) for part in self._journeys for record in part}
        return {
            _id("visit", visit): {
                "journey_id": journey_of[visit[0]["event_id"]],
                "started_at": visit[0]["occurred_at"],
                "ended_at": visit[-1]["occurred_at"],
                "touchpoints": len(visit),
            }
            for visit in self._visits
        }

    def journeys(self) -> dict[str, Record]:
        """The live journeys by id, with every field of their rows that says something about them."""
        return {_id("journey", part): self._journey(part) for part in self._journeys}

    def _journey(self, part: list[Record]) -> Record:
        conversions = [record["occurred_at"] for record in part if record["outcome"] == "converted"]
        values = _money(part)
        only = len(values) == 1
        moods = [record["sentiment"] for record in part if record["sentiment"] is not None]
        return {
            "customer_id": part[0]["customer_id"],
            "started_at": part[0]["occurred_at"],
            "ended_at": part[-1]["occurred_at"],
            "visits": sum(visit[0] in part for visit in self._visits),
            "touchpoints": len(part),
            "channels": sorted({record["channel"] for record in part}),
            "stages": sorted({record["stage"] for record in part}),
            "path": [_name(record) for record in part][:LONGEST_PATH],
            "first_channel": part[0]["channel"],
            "last_channel": part[-1]["channel"],
            "converted_at": min(conversions) if conversions else None,
            "value": next(iter(values.values())) if only else None,
            "currency": next(iter(values)) or None if only else None,
            "values": values,
            "sentiment_avg": _mean(moods),
            "sentiment_min": min(moods) if moods else None,
            "escalations": sum(record["outcome"] == "escalated" for record in part),
            "unresolved": sum(record["outcome"] == "unresolved" for record in part),
            "truncated": len(part) > LONGEST_PATH,
        }

    def customer(self) -> Record:
        """The numbers of the customer's row that do not depend on a moment."""
        everything = self.touchpoints
        return {
            "customer_id": everything[0]["customer_id"],
            "first_seen_at": everything[0]["occurred_at"],
            "last_seen_at": everything[-1]["occurred_at"],
            "last_inbound_at": self._inbound[-1]["occurred_at"] if self._inbound else None,
            "touchpoints": len(everything),
            "inbound": len(self._inbound),
            "visits": len(self._visits),
            "journeys": len(self._journeys),
            "last_channel": everything[-1]["channel"],
            "purchases": len(self._done(_PURCHASES)),
            "values": _money(everything),
            "sentiment_avg": _mean([r["sentiment"] for r in everything if r["sentiment"] is not None]),
            **{metric: self._latest_answer(metric) for metric in ("nps", "csat", "ces")},
        }

    def has_left(self) -> bool:
        """Whether the last goodbye came after the last purchase, renewal or new start."""
        goodbyes = [r["occurred_at"] for r in self.touchpoints if _name(r) == "subscription.cancelled"]
        returns = [record["occurred_at"] for record in self._done(_COMING_BACK)]
        return bool(goodbyes) and max(goodbyes) > max(returns, default=-1)

    def _done(self, names: set[str]) -> list[Record]:
        return [r for r in self.touchpoints if _name(r) in names and r["outcome"] not in _NOT_DONE]

    def _latest_answer(self, metric: str) -> float | None:
        answers = [r["rating_score"] for r in self.touchpoints if r["rating_metric"] == metric]
        return answers[-1] if answers else None


def _counted(log: Sequence[Record]) -> Iterable[Record]:
    """Each event_id once, the first in the log; nothing older than the history at its turn."""
    ids: set[str] = set()
    latest = -math.inf
    for record in log:
        if record["event_id"] in ids or record["occurred_at"] < latest - HISTORY:
            continue
        ids.add(record["event_id"])
        latest = max(latest, record["occurred_at"])
        yield record


def _order(record: Record) -> tuple[int, str]:
    return record["occurred_at"], record["event_id"]


def _cut(ordered: list[Record], gap: int) -> list[list[Record]]:
    """Cut where the silence is longer than the gap."""
    parts = [ordered[:1]] if ordered else []
    for before, after in pairwise(ordered):
        if after["occurred_at"] - before["occurred_at"] > gap:
            parts.append([])
        parts[-1].append(after)
    return parts


def _name(record: Record) -> str:
    return f"{record['channel']}.{record['touchpoint']}"


def _money(records: list[Record]) -> dict[str, float]:
    """Sums by currency, in cents so that they are exact; what failed was not paid."""
    cents: dict[str, int] = {}
    for record in records:
        if record["value"] is not None and record["outcome"] != "failed":
            currency = record["currency"] or ""
            cents[currency] = cents.get(currency, 0) + round(record["value"] * 100)
    return {currency: cents[currency] / 100 for currency in sorted(cents)}


def _mean(moods: list[float]) -> float | None:
    """To nine digits, which is finer than anybody's mood."""
    return round(float(sum(Fraction(str(mood)) for mood in moods) / len(moods)), 9) if moods else None


def _id(kind: str, part: list[Record]) -> str:
    first = part[0]
    name = b"\0".join((kind.encode(), first["customer_id"].encode(), uuid.UUID(first["event_id"]).bytes))
    digest = sha1(_NAMESPACE.bytes + name, usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


class Consumer:
    """Keeps of published rows what a ReplacingMergeTree does: by id the highest revision, the withdrawn ones hidden.

    Within one revision a live visit beats its withdrawal, as `last_wins` of visits_log has it.
    """

    def __init__(self) -> None:
        self._journeys: dict[str, Record] = {}
        self._visits: dict[str, Record] = {}

    def take(self, rows: Iterable[Record]) -> None:
        """Take journeys as they are published, in any order."""
        for row in rows:
            _keep(self._journeys, row["journey_id"], row)
            for visit in row["changed_visits"]:
                stamped = {**visit, "journey_id": row["journey_id"], "revision": row["revision"]}
                _keep(self._visits, visit["visit_id"], stamped)

    def journeys(self) -> dict[str, Record]:
        """Live journeys by id."""
        return _live(self._journeys, "journey_id", "revision", "withdrawn", "changed_visits")

    def visits(self) -> dict[str, Record]:
        """Live visits by id."""
        return _live(self._visits, "visit_id", "revision", "withdrawn")


def _keep(table: dict[str, Record], key: str, row: Record) -> None:
    known = table.get(key)
    if known is None or (row["revision"], not row["withdrawn"]) >= (known["revision"], not known["withdrawn"]):
        table[key] = row


def _live(table: dict[str, Record], *without: str) -> dict[str, Record]:
    return {
        key: comparable({name: value for name, value in row.items() if name not in without})
        for key, row in table.items()
        if not row["withdrawn"]
    }


def comparable(row: Record) -> Record:
    """The row with its mean mood to the reference's digits."""
    mood = row.get("sentiment_avg")
    return row if mood is None else {**row, "sentiment_avg": round(mood, 9)}
