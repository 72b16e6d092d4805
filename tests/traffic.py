"""Traffic of a company that sends its history as files and the rest live, for whole-system comparisons."""

from __future__ import annotations

import json
import random
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.clickstream import Click, clicks

DAYS = 60
_CALM = ["page_view", "product_view", "search", "cart_add"]


@dataclass(frozen=True)
class Contact(Click):
    """A touchpoint with the fields it has on the wire, but for its id."""

    fields: dict[str, Any]

    @property
    def inbound(self) -> bool:
        """Whether it counts for visits and journeys."""
        return self.fields["channel"] != "email"


@dataclass(frozen=True)
class Traffic:
    """What is sent: `files` by backfill, `live` over HTTP, each of those with an id of its own."""

    files: list[list[Contact]]
    live: list[tuple[str, Contact]]
    as_of: datetime
    """A moment at which most of it has happened, and not all."""

    def contacts(self) -> list[Contact]:
        """Everything."""
        return [contact for file in self.files for contact in file] + [contact for _, contact in self.live]

    def inbound(self) -> list[Contact]:
        """What counts for visits and journeys."""
        return [contact for contact in self.contacts() if contact.inbound]


def traffic(customers: int, filed: int, live: int, seed: int, files: int = 3) -> Traffic:
    """Contacts within 60 days, so that none comes too late in whatever order; some of a kind that moves the risk."""
    rng = random.Random(seed)
    contacts = [_contact(click, rng) for click in clicks(customers, filed + live, seed, DAYS)]
    each = -(-filed // files)
    return Traffic(
        [contacts[at : min(at + each, filed)] for at in range(0, filed, each)],
        [(str(uuid.UUID(int=rng.getrandbits(128), version=4)), contact) for contact in contacts[filed:]],
        max(contact.occurred_at for contact in contacts) - timedelta(days=5),
    )


def write_jsonl(path: Path, contacts: list[Contact]) -> None:
    """The contacts as a file for `touchline backfill`, which gives each its id from its content."""
    with path.open("w") as out:
        for contact in contacts:
            out.write(json.dumps(contact.fields) + "\n")


def _contact(click: Click, rng: random.Random) -> Contact:
    fields = {
        "customer_id": click.customer_id,
        "occurred_at": click.occurred_at.isoformat(timespec="milliseconds"),
        **_kind(rng),
    }
    return Contact(click.customer_id, click.occurred_at, fields["touchpoint"], fields)


def _kind(rng: random.Random) -> dict[str, Any]:
    """Mostly browsing; now and then a purchase, an answer, a newsletter, or something that speaks for leaving."""
    chance = rng.random()
    if chance < 0.80:
        return {"channel": "web", "touchpoint": rng.choice(_CALM)}
    if chance < 0.86:
        value = {"value": round(rng.uniform(5, 200), 2), "currency": rng.choice(["EUR", "EUR", "EUR", "USD"])}
        return {"channel": "web", "touchpoint": "purchase", "outcome": "converted", **value}
    if chance < 0.90:
        return {"channel": "survey", "touchpoint": "nps", "rating_metric": "nps", "rating_score": rng.randint(0, 10)}
    if chance < 0.94:
        return {"channel": "email", "touchpoint": "newsletter"}
    outcome = rng.choice(["resolved", "resolved", "unresolved", "escalated"])
    said = {"touchpoint": rng.choice(["inquiry", "complaint"]), "sentiment": round(rng.uniform(-1, 1), 2)}
    return {"channel": "phone", "outcome": outcome, **said}
