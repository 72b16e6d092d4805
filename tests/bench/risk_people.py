"""Simulated companies as the risk's benches need them: every customer's touchpoints, once each and in order of time."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from typing import NamedTuple

from pipeline.customer import Rules, Touch, touch_of
from pipeline.model import ANONYMOUS_PREFIX, Rejected
from pipeline.scoring import profile_of
from pipeline.settings import Settings
from pipeline.simulator import Company, simulate
from pipeline.state import Profile
from pipeline.validation import validate

DAY = 86_400_000
_MOMENT = datetime(2026, 3, 5, 15, 30, tzinfo=UTC)
NOW = int(_MOMENT.timestamp() * 1000)
RULES = Rules.of(Settings())
TOUCHPOINTS_EACH = 33


class People(NamedTuple):
    """A company and its named customers' touchpoints."""

    company: Company
    touches: dict[str, list[Touch]]


def people(seed: int, customers: int) -> People:
    """The company of a seed at NOW."""
    company = simulate(customers, customers * TOUCHPOINTS_EACH, seed, _MOMENT)
    found: dict[str, dict[bytes, Touch]] = defaultdict(dict)
    for offset, event in enumerate(company.history + company.live):
        record = validate(event, NOW, "http")
        if not isinstance(record, Rejected) and not record["customer_id"].startswith(ANONYMOUS_PREFIX):
            touch = touch_of(offset, record)
            found[record["customer_id"]].setdefault(touch.step[1], touch)
    return People(
        company, {name: sorted(known.values(), key=lambda touch: touch.step) for name, known in found.items()}
    )


def profile_at(touches: list[Touch], moment: int) -> Profile | None:
    """What was known of a customer at a moment; None when nothing was."""
    known = [(touch.step, touch.record) for touch in touches if touch.step[0] <= moment]
    return profile_of(known, RULES) if known else None
