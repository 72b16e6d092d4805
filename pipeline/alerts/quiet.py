"""When nobody wants to be disturbed, in the time of a zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class QuietHours:
    """From `begin` up to, not including, `end`, on the clocks of `zone`; over midnight where `end` is not later."""

    begin: time
    end: time
    zone: ZoneInfo
    critical_passes: bool = False

    def over_at(self, moment: int) -> int:
        """The moment itself (UTC milliseconds) where it is not quiet, else when the quiet hours end."""
        local = datetime.fromtimestamp(moment / 1000, UTC).astimezone(self.zone)
        clock = local.time()
        overnight = self.end <= self.begin
        if not (clock >= self.begin or clock < self.end if overnight else self.begin <= clock < self.end):
            return moment
        day = local.date() + timedelta(days=1) if overnight and clock >= self.begin else local.date()
        end = datetime.combine(day, self.end, self.zone)
        return max(moment, round(end.timestamp() * 1000))
