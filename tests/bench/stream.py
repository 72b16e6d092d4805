"""The measured stream: touchpoints of many customers in visits, in log order, up to five minutes out of order."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator

from pipeline.model import Record

START = 1_767_225_600_000  # 2026-01-01T00:00Z
DISORDER_MS = 5 * 60_000
_KINDS = [
    ("web", "page_view", "consideration"),
    ("web", "product_view", "consideration"),
    ("web", "search", "consideration"),
    ("web", "cart_add", "purchase"),
    ("mobile_app", "screen_view", "consideration"),
    ("email", "click", "consideration"),
    ("self_service", "faq_view", "service"),
    ("phone", "inquiry", "service"),
    ("helpdesk", "ticket_opened", "service"),
    ("web", "purchase", "purchase"),
]


def touchpoints(
    count: int, customers: int, seed: int = 1, per_day: int = 20_000, longest_visit: int = 9
) -> Iterator[Record]:
    """`count` records of `customers` customers, about `per_day` of them a day of event time.

    Customers come in visits of one to nine touchpoints; records are in order of arrival, which trails event time by
    up to five minutes.
    """
    rng = random.Random(seed)
    step_ms = 86_400_000 / per_day
    arrivals = []
    made = 0
    clock = float(START)
    while made < count:
        customer = f"customer-{rng.randrange(customers):07d}"
        moment = clock
        for _ in range(min(rng.randint(1, longest_visit), count - made)):
            arrivals.append((moment + rng.random() * DISORDER_MS, made, moment, customer))
            made += 1
            moment += rng.expovariate(1 / 90_000)
            clock += step_ms
    arrivals.sort()
    for arrival, _, moment, customer in arrivals:
        yield _record(rng, int(arrival), int(moment), customer)


def _record(rng: random.Random, arrival: int, moment: int, customer: str) -> Record:
    channel, touchpoint, stage = _KINDS[min(int(rng.expovariate(0.4)), 9)]
    human = channel in {"phone", "helpdesk"}
    bought = touchpoint == "purchase"
    return {
        "event_id": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "customer_id": customer,
        "anonymous_id": None,
        "occurred_at": moment,
        "received_at": arrival,
        "channel": channel,
        "touchpoint": touchpoint,
        "stage": stage,
        "direction": "inbound",
        "outcome": rng.choice(["resolved", "unresolved", "escalated"]) if human else "converted" if bought else None,
        "sentiment": round(rng.uniform(-1, 1), 2) if human else None,
        "rating_metric": None,
        "rating_score": None,
        "value": round(rng.uniform(5, 200), 2) if bought else None,
        "currency": "EUR" if bought else None,
        "duration_ms": rng.randrange(300_000) if human else None,
        "wait_ms": rng.randrange(120_000) if human else None,
        "reference": f"T-{rng.randrange(100_000)}" if human else None,
        "staff_id": None,
        "campaign": None,
        "partner": None,
        "attributes": {"page": "/p/" + str(rng.randrange(500))} if channel == "web" else {},
        "source": "http",
        "import_id": None,
    }
