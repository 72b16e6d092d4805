"""When an alert is raised and when it is over: the numbers that a company chooses."""

from __future__ import annotations

from dataclasses import dataclass

RANK = {"low": 0, "medium": 1, "high": 2, "critical": 3}
"""The levels in order; `gone` is none of them, for who has left is not at risk any more."""

DAY = 86_400_000


@dataclass(frozen=True)
class Policy:
    """An alert is raised from `raise_at` on and over at `over_at` or below; between the two it stays as it is.

    After an alert the same customer gives no other one for `cooldown` milliseconds, unless it is of a higher level.
    `lasting`: only for a risk that would not pass by itself within days (`pipeline.risk.is_lasting`), as many false
    alarms are of people who hardly come to a level. Where the main reason is that they stay away, and below critical,
    it is raised once that has lasted for `absence` milliseconds more: such a risk comes slowly, and is often over with
    the next visit.
    """

    raise_at: str = "high"
    over_at: str = "medium"
    cooldown: int = 7 * DAY
    lasting: bool = True
    absence: int = 2 * DAY

    def raises(self, level: str, lasting: bool) -> bool:
        """Whether an alert is raised at this level."""
        return RANK.get(level, -1) >= RANK[self.raise_at] and (lasting or not self.lasting)

    def waits(self, level: str, absent: bool) -> int:
        """For how long a customer must have stayed at this level, milliseconds; `absent`: it is for staying away."""
        return self.absence if absent and level != "critical" else 0

    def ends(self, level: str) -> bool:
        """Whether an alert is over at this level; it is for whoever has left."""
        return RANK.get(level, -1) <= RANK[self.over_at]
