"""People made up at random, alike every time, for whom anything may be true that a customer's row can tell."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from pipeline.alerts.records import acknowledgement, snooze
from pipeline.catalogue import catalogue
from pipeline.identities import Correction
from tests.integration.sinks_samples import DAY, Sample, alert, customer, risk, touchpoint, uid

PEOPLE = 30
HOUR = 3_600_000
_OUTCOMES = "completed", "converted", "resolved", "unresolved", "escalated", "abandoned", "failed", "cancelled"
_RATINGS = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
_VALUES = -12.5, 0.0, 0.00005, 0.00015, 0.1, 0.2, 7, 19.99, 1e12
_TELLING = [
    *("phone.complaint", "email.complaint", "social.complaint"),
    *("helpdesk.ticket_opened", "helpdesk.ticket_reopened", "helpdesk.ticket_escalated"),
    *("helpdesk.ticket_resolved", "helpdesk.supervisor_involved", "community.solution_accepted"),
    *("subscription.payment_failed", "subscription.renewal", "subscription.upgrade", "sales.deal_won"),
    *("delivery.delayed", "delivery.damaged", "delivery.lost", "delivery.delivered", "delivery.return_received"),
    *("web.payment", "web.purchase", "mobile_app.purchase", "in_store.purchase"),
]
"""What buys, opens or settles something by itself; everything else in the catalogue comes as often, together."""


@dataclass
class Crowd:
    """What is known of everybody, and the ids to ask for; `touchpoints` are in the order of the log, duplicates too."""

    touchpoints: list[Sample] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    alerts: list[Sample] = field(default_factory=list)
    customers: list[Sample] = field(default_factory=list)
    risk: list[Sample] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


def crowd(now: int, seed: int) -> Crowd:
    """Everybody as of `now`. Nothing happened on the hour before it, so that no gap ends while a test asks."""
    made, chance = Crowd(), random.Random(seed)
    for number in range(PEOPLE):
        _add(made, chance, f"person-{number}", number, now - HOUR // 2)
    again = [{**one, "value": 99.0, "currency": "XXX", "anonymous_id": None} for one in made.touchpoints[::3]]
    chance.shuffle(made.touchpoints)
    made.touchpoints += again
    return made


def _add(made: Crowd, chance: random.Random, person: str, number: int, now: int) -> None:
    devices = [f"device-{number}-{index}" for index in range(chance.choice((0, 0, 1, 2)))]
    if chance.random() < 0.3:
        devices.append(f"device-{number - 1}-0")  # shared with the one before, where they have it
    made.ids += [person, *(f"anon:{device}" for device in devices), *devices[:1]]
    for _ in range(chance.choice((0, 1, 3, 12, 30))):
        made.touchpoints.append(_touchpoint(chance, now, person, chance.choice([None, *devices])))
    for device in devices:
        for _ in range(chance.choice((0, 1, 4))):
            made.touchpoints.append(_touchpoint(chance, now, f"anon:{device}", device))
    corrected = [*devices, f"device-{number}-9", f"device-{number + 1}-0"]
    for device in chance.sample(corrected, k=chance.choice((0, 0, 1, 2))):
        made.corrections.append(Correction(device, person, linked=chance.random() < 0.5))
        made.ids.append(f"anon:{device}")
    _add_standing(made, chance, person, number, now)


def _touchpoint(chance: random.Random, now: int, key: str, device: str | None) -> Sample:
    channel, _, name = chance.choice([*_TELLING, *[_anything(chance)] * len(_TELLING)]).partition(".")
    metric = chance.choice([None, None, *_RATINGS])
    score = chance.choice([None, *_RATINGS[metric]]) if metric else None
    return touchpoint(
        0,
        event_id=str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        customer_id=key,
        anonymous_id=device,
        occurred_at=now - chance.choice((HOUR, DAY, 7 * DAY, 14 * DAY)) * chance.randrange(8),
        channel=channel,
        touchpoint=name,
        stage=chance.choice(("awareness", "purchase", "service")),
        direction=chance.choice(("inbound", "inbound", "outbound")),
        outcome=chance.choice((None, None, *_OUTCOMES)),
        sentiment=chance.choice((None, None, -1.0, -0.35, -0.34, 0.0, 0.35)),
        rating_metric=metric,
        rating_score=None if score is None else float(score),
        value=chance.choice((None, *map(float, _VALUES))),
        currency=chance.choice((None, "EUR", "EUR", "USD", "JPY")),
        reference=chance.choice((None, None, "t1", "t2", "")),
        import_id=chance.choice((None, None, None, "kept", "withdrawn", "restored")),
    )


def _anything(chance: random.Random) -> str:
    channel, name, _ = chance.choice(list(catalogue().rows()))
    return f"{channel.name}.{name}"


def _add_standing(made: Crowd, chance: random.Random, person: str, number: int, now: int) -> None:
    """The score and the alert, of which each may be missing, over, taken on, put off."""
    if chance.random() < 0.7:
        known: dict[str, Any] = {"customer_id": person, "touchpoints": chance.choice((0, 5)), "score": 33.5}
        made.customers += [customer(number, revision=revision, **known) for revision in (2, 1)]
    if chance.random() < 0.7:
        made.risk += [risk(number, customer_id=person, revision=turn, as_of=now - turn * DAY) for turn in (1, 3, 2)]
    for raised in range(chance.choice((0, 1, 2))):
        at, about = now - (9 - raised) * DAY, uid("alert", 10 * number + raised)
        made.alerts.append(alert(10 * number + raised, customer_id=person, raised_at=at, attempted_at=at))
        made.alerts.append({**made.alerts[-1], "destination": "crm", "attempt": 1, "status": "delivered"})
        if chance.random() < 0.4:
            made.alerts.append(acknowledgement(about, person, at + HOUR, by=chance.choice(("Lee", None))))
        if chance.random() < 0.3:
            over = {"status": "over", "about": about, "raised_at": at + DAY, "attempted_at": at + DAY}
            made.alerts.append(alert(10 * number + raised + 5, customer_id=person, **over))
    for turn in range(chance.choice((0, 1, 2))):
        until = now + chance.choice((-1, 1)) * DAY
        made.alerts.append(snooze(person, until, now - (3 - turn) * DAY))
