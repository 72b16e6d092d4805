"""Who is about to leave a simulated company: leavers found the day before their last word, and false alarms.

Leavers are scored the day before their last inbound touchpoint; who stays at the same kinds of moments: the day before
their own last one, and a moment drawn from the leavers'. A company without leavers is the same one without their
touchpoints: its alarms are the customers who come to level high, looked at with each touchpoint and each night. Some
who stay have a story that looks like a leaver's (`Company.fates`): they are counted in, and left out beside it.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from pipeline import profile as profiles
from pipeline.backtest import Window, example
from pipeline.customer import Touch
from pipeline.measures import quantile
from pipeline.risk import AT_RISK, standing
from pipeline.scoring import profile_of
from pipeline.state import Profile
from tests.bench.report import tell
from tests.bench.risk_people import DAY, NOW, RULES, People, people, profile_at

SEEDS = range(500, 510)
CUSTOMERS = 1_000
_MONTH = 30 * DAY


async def run() -> None:
    """Print each seed's figures, then the recall by the way in which customers leave, then those of all together."""
    totals = [0] * 9
    leads: list[float] = []
    ways: Counter[str] = Counter()
    warned: Counter[str] = Counter()
    for seed in SEEDS:
        found = people(seed, CUSTOMERS)
        for name, at in found.company.leavers.items():
            way = found.company.fates[name]
            ways[way] += 1
            warned[way] += _high(found.touches.get(name, []), moment_of(at) - DAY)
        figures = [*_found(found, seed), *_alarms(found)]
        totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
        leads += _leads(found)
        _tell(f"seed {seed}", figures)
    for way, count in ways.most_common():
        tell("risk_company_ways", way=way, leavers=count, recall=warned[way] / count)
    _tell("all", totals, lead_median=quantile(leads, 0.5), lead_quarter=quantile(leads, 0.25), warned=len(leads))


def _tell(name: str, figures: list[int], **more: float | None) -> None:
    leavers, found, before, like, months, alarms, plain_months, plain_alarms, now = figures
    tell(
        "risk_company",
        company=name,
        leavers=leavers,
        recall=found / leavers,
        recall_now=now / leavers,
        precision=found / (found + before),
        precision_same_moments=found / (found + like),
        false_alarms_per_month=alarms / months,
        false_alarms_without_stories=plain_alarms / plain_months,
        **more,
    )


def _found(found: People, seed: int) -> list[int]:
    """Leavers; of them at high; of who stays at high, the day before the last inbound, and at leavers' moments."""
    company, touches = found
    moments = {name: moment_of(at) - DAY for name, at in company.leavers.items()}
    rng = random.Random(seed)
    stay = [name for name in touches if name not in company.leavers and name not in company.gone]
    last = {name: max(_inbound(touches[name]), default=NOW) - DAY for name in stay}
    drawn = list(moments.values())
    return [
        len(moments),
        sum(_high(touches.get(name, []), at) for name, at in moments.items()),
        sum(_high(touches[name], last[name]) for name in stay),
        sum(_high(touches[name], rng.choice(drawn)) for name in stay),
    ]


def moment_of(text: str) -> int:
    """A time of the company as UTC milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _inbound(touches: list[Touch]) -> Iterator[int]:
    return (touch.step[0] for touch in touches if touch.record["direction"] == "inbound")


def _high(touches: list[Touch], moment: int) -> bool:
    profile = profile_at(touches, moment)
    return profile is not None and standing(profile, moment, RULES.model)[1] in {*AT_RISK, "gone"}


def _alarms(found: People) -> list[int]:
    """Customers' months without leavers, and the alarms in them; of these who has no story; leavers at high now."""
    company, touches = found
    counts = [0] * 4
    for name, known in touches.items():
        if name not in company.leavers and name not in company.gone:
            months = 1 + (NOW - known[0].step[0]) // _MONTH
            alarms = len({(at - known[0].step[0]) // _MONTH for at in _comes_to_high(known)})
            plain = company.fates.get(name) is None
            counts = [
                old + new for old, new in zip(counts, (months, alarms, months * plain, alarms * plain), strict=True)
            ]
    return [*counts, sum(_high(touches.get(name, []), NOW) for name in company.leavers)]


def _comes_to_high(known: list[Touch]) -> Iterator[int]:
    """When a customer came to level high, or above, from below."""
    profile = Profile(known[0].step[0], known[0].step)
    nights = range(known[0].step[0], NOW, DAY)
    events = sorted(
        [(touch.step[0], touch) for touch in known] + [(night, None) for night in nights], key=lambda e: e[0]
    )
    high = False
    for at, touch in events:
        if touch is not None:
            profiles.add(profile, touch.step, touch.record)
        was, high = high, standing(profile, at, RULES.model)[1] in AT_RISK
        if high and not was:
            yield at


def _leads(found: People) -> list[float]:
    """Days from coming to high to the last word, of the leavers who were warned of."""
    leads = []
    for name, at in found.company.leavers.items():
        moment = moment_of(at)
        touches = [(touch.step, touch.record) for touch in found.touches.get(name, [])]
        judged = example(name, touches, Window(moment, NOW), RULES, profile_of)
        if judged is not None and judged.lead_days is not None:
            leads.append(judged.lead_days)
    return leads
