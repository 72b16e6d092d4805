"""How well the scores tell who is about to leave. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pipeline.model import ANONYMOUS_PREFIX
from pipeline.risk import AT_RISK
from pipeline.scoring import Scored

_FOUND = AT_RISK | {"gone"}


@dataclass(frozen=True)
class Judgement:
    """Counts of customers: `found` have level high or above and do leave, `alarms` have it and stay, `missed` leave.

    Who has left and said so in the last weeks (level gone) was found; who left long before counts nowhere.
    """

    found: int
    alarms: int
    missed: int

    @property
    def precision(self) -> float | None:
        """Of those with level high or above, the share that leaves; None when there are none."""
        return _share(self.found, self.found + self.alarms)

    @property
    def recall(self) -> float | None:
        """Of those who leave, the share with level high or above; None when nobody leaves."""
        return _share(self.found, self.found + self.missed)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def judge(scored: Iterable[Scored], leavers: Collection[str], gone: Collection[str]) -> Judgement:
    """Compare levels with the truth; anonymous visitors are nobody the truth knows, so they count nowhere."""
    named = {
        each.customer_id
        for each in scored
        if each.risk.level in _FOUND and not each.customer_id.startswith(ANONYMOUS_PREFIX)
    }
    flagged, leaving = named - set(gone), set(leavers) - set(gone)
    return Judgement(len(flagged & leaving), len(flagged - leaving), len(leaving - flagged))
