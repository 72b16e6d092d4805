"""For how many of a simulated company's staying customers an alert is raised a month, and for how many leavers in time.

The same company as in risk_company, its levels looked at with each touchpoint and every six hours, the alerts decided
as the agent does. Customers with a story that looks like leaving (`Company.fates`) are counted apart: the others just
live, with the trouble that everybody has now and then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pipeline import profile as profiles
from pipeline.alerts.decision import on_change, on_time
from pipeline.alerts.policy import DAY, Policy
from pipeline.alerts.standing import NOBODY, Change
from pipeline.customer import Touch
from pipeline.reasons import assess
from pipeline.risk import is_lasting, standing
from pipeline.state import Profile
from tests.bench.report import tell
from tests.bench.risk_company import SEEDS, moment_of
from tests.bench.risk_people import NOW, RULES, People, people

CUSTOMERS = 1_000
POLICIES = {
    "default": Policy(),
    "without absence_hours": Policy(absence=0),
    "nor only_lasting": Policy(absence=0, lasting=False),
    "critical only": Policy(raise_at="critical"),
}
_MONTH = 30 * DAY


async def run() -> None:
    """Print the alerts of all seeds together, policy by policy."""
    counts: dict[str, defaultdict[str, float]] = {name: defaultdict(float) for name in POLICIES}
    for seed in SEEDS:
        found = people(seed, CUSTOMERS)
        for name, touches in found.touches.items():
            if name not in found.company.gone:
                changes = list(_changes(touches))
                for which, policy in POLICIES.items():
                    _count(counts[which], found, name, list(_alerts(changes, policy)))
    for which, counted in counts.items():
        tell(
            "risk_alerts",
            digits=4,
            policy=which,
            ordinary_customer_months=round(counted["months"]),
            alerted_per_month=counted["alerted"] / counted["months"],
            alerted_per_month_with_stories=counted["story_alerted"] / counted["story_months"],
            alerted_per_month_of_all=(counted["alerted"] + counted["story_alerted"])
            / (counted["months"] + counted["story_months"]),
            leavers=round(counted["leavers"]),
            leavers_alerted_before_they_left=counted["told"] / counted["leavers"],
        )


def _count(counted: defaultdict[str, float], found: People, name: str, alerts: list[int]) -> None:
    if name in found.company.leavers:
        left = moment_of(found.company.leavers[name])
        counted["leavers"] += 1
        counted["told"] += any(left - 60 * DAY <= at < left for at in alerts)
        return
    kind = "story_" if name in found.company.fates else ""
    counted[f"{kind}months"] += (NOW - found.touches[name][0].step[0]) / _MONTH
    counted[f"{kind}alerted"] += len({(NOW - at) // _MONTH for at in alerts})


def _changes(touches: list[Touch]) -> Iterator[Change]:
    """Every change of risk that the agent would publish."""
    profile, before, lasting = Profile(touches[0].step[0], touches[0].step), "low", True
    quarters = ((at, None) for at in range(touches[0].step[0], NOW, DAY // 4))
    for at, touch in sorted([*((touch.step[0], touch) for touch in touches), *quarters], key=lambda each: each[0]):
        if touch is not None:
            profiles.add(profile, touch.step, touch.record)
        score, level = standing(profile, at, RULES.model)
        if level != before or not lasting:
            lasts = is_lasting(profile, level, at, RULES.model)
            if level != before or lasts:
                why = [(each.code, each.points, each.text) for each in assess(profile, at, RULES.model).reasons]
                yield Change(at, score, level, before, why, "", "", lasting=lasts)
            before, lasting = level, lasts


def _alerts(changes: list[Change], policy: Policy) -> Iterator[int]:
    """When an alert is raised."""
    held = NOBODY
    for change in changes:
        held, said = on_change("ann", held, change, policy)
        yield from (each.at for each in said if each.status == "raised")
    _, said = on_time("ann", held, NOW, policy)
    yield from (each.at for each in said)
