"""Days and hours: when people shop, when offices and shops are open. Moments are seconds since 1970, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from itertools import accumulate
from random import Random

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
_LOCAL_SHIFT = HOUR
_LOCAL = timezone(timedelta(seconds=_LOCAL_SHIFT))
_PATIENCE = 0.3


@dataclass(frozen=True)
class Hours:
    """When somebody is active: a weight for each local hour, and one for each day from Monday."""

    by_hour: tuple[float, ...]
    by_day: tuple[float, ...]

    @property
    def cumulated_hours(self) -> list[float]:
        """Running sums of the hours' weights."""
        return list(accumulate(self.by_hour))

    def cumulated_delays(self, weekday: int) -> list[float]:
        """Return running sums of the weights of acting 0, 1, 2 or 3 days after that weekday."""
        return list(accumulate(self.by_day[(weekday + delay) % 7] * _PATIENCE**delay for delay in range(4)))


def _span(first: int, last: int, peaks: dict[int, float]) -> tuple[float, ...]:
    return tuple(peaks.get(hour, 1.0) if first <= hour < last else 0.0 for hour in range(24))


EVENING = Hours(
    (
        0.3,
        0.1,
        0.05,
        0.03,
        0.03,
        0.1,
        0.4,
        0.9,
        1,
        1,
        1.1,
        1.2,
        1.6,
        1.3,
        1,
        1,
        1.2,
        1.5,
        2,
        2.8,
        3.4,
        3.2,
        2.1,
        0.9,
    ),
    (1.1, 1.0, 1.0, 1.0, 0.8, 0.9, 1.4),
)
DAYTIME = Hours(_span(6, 24, {7: 1.6, 8: 1.4, 12: 1.7, 22: 0.6, 23: 0.3}), (1, 1, 1, 1, 1, 0.8, 0.8))
OFFICE = Hours(_span(8, 18, {8: 0.6, 10: 1.8, 11: 1.6, 12: 0.6, 14: 1.5, 17: 0.5}), (1.0, 1.2, 1.2, 1.1, 0.7, 0, 0))
SHOP = Hours(_span(9, 20, {9: 0.5, 12: 1.4, 17: 1.9, 18: 1.7, 19: 0.8}), (0.4, 0.7, 0.8, 0.9, 1.3, 2.2, 0))
_TABLES = {
    id(hours): (hours.cumulated_hours, [hours.cumulated_delays(day) for day in range(7)])
    for hours in (EVENING, DAYTIME, OFFICE, SHOP)
}


def settle(moment: float, hours: Hours, rng: Random) -> float:
    """When somebody of these hours acts who means to on that day: then or up to three days later.

    Three draws whatever the calendar says, so that another `now` leaves the same stories on other days.
    """
    by_hour, delays = _TABLES[id(hours)]
    day = int((moment + _LOCAL_SHIFT) // DAY)
    day += rng.choices(range(4), cum_weights=delays[(day + 3) % 7])[0]
    hour = rng.choices(range(24), cum_weights=by_hour)[0]
    return day * DAY - _LOCAL_SHIFT + (hour + rng.random()) * HOUR


def when_open(moment: float, hours: Hours) -> float:
    """Return the moment itself if within the hours, else one about when they next begin."""
    for _ in range(24 * 8):
        local = moment + _LOCAL_SHIFT
        if hours.by_hour[int(local % DAY // HOUR)] and hours.by_day[(int(local // DAY) + 3) % 7]:
            break
        moment += HOUR
    return moment


def rfc3339(moment: float, local: bool = False) -> str:
    """Write a moment for the wire, to the millisecond; `local` as a till or a telephone system does."""
    if local:
        return datetime.fromtimestamp(moment, _LOCAL).isoformat(timespec="milliseconds")
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
