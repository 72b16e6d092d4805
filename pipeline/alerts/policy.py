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
    Below critical it is raised only for who has stayed at that level for `steady` milliseconds: many false alarms are
    of people who hardly come to a level, and are below it again within a day or two.
    """

    raise_at: str = "high"
    over_at: str = "medium"
    cooldown: int = 7 * DAY
    steady: int = 0

    def raises(self, level: str) -> bool:
        """Whether an alert is raised at this level."""
        return RANK.get(level, -1) >= RANK[self.raise_at]

    def waits(self, level: str) -> int:
        """For how long a customer must have stayed at this level, milliseconds."""
        return 0 if level == "critical" else self.steady

    def ends(self, level: str) -> bool:
        """Whether an alert is over at this level; it is for whoever has left."""
        return RANK.get(level, -1) <= RANK[self.over_at]
