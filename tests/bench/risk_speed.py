"""What scoring costs: per touchpoint in the fold, and for stored profiles as of a moment."""

from __future__ import annotations

import statistics
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter_ns

import msgspec

from agents.silences import LOOK_DAYS
from pipeline import profile as profiles
from pipeline.outlook import next_change
from pipeline.reasons import assess
from pipeline.risk import standing
from pipeline.risk_model import default_model
from pipeline.state import Profile, load_profile
from tests.bench.report import tell
from tests.bench.risk_people import NOW, people

_STORED = 1_000_000
_encoder = msgspec.json.Encoder()


async def run() -> None:
    """Time the profile and the score for every touchpoint of a company; then score a million stored profiles."""
    made, adding, scoring = _folded()
    stored = [_encoder.encode(profile) for profile in made]
    tell(
        "risk_per_event",
        touchpoints=len(scoring),
        score_us=statistics.median(scoring) / 1000,
        score_p99_us=sorted(scoring)[int(len(scoring) * 0.99)] / 1000,
        profile_us=statistics.median(adding) / 1000,
        profile_bytes=statistics.median(map(len, stored)),
    )
    ahead = [_looked_ahead(profile) for profile in made]
    tell("risk_next_change", days=LOOK_DAYS, us=statistics.median(ahead) / 1000, mean_us=statistics.mean(ahead) / 1000)
    began = perf_counter_ns()
    with ProcessPoolExecutor(2) as pool:
        done = sum(pool.map(_score, [stored] * 2, [_STORED // 2] * 2))
    tell("risk_stored", profiles=done, processes=2, seconds=(perf_counter_ns() - began) / 1e9)


def _folded() -> tuple[list[Profile], list[int], list[int]]:
    made, adding, scoring = [], [], []
    model = default_model()
    for touches in people(7, 500).touches.values():
        profile = Profile(touches[0].step[0], touches[0].step)
        for touch in touches:
            before = perf_counter_ns()
            profiles.add(profile, touch.step, touch.record)
            added = perf_counter_ns()
            standing(profile, touch.step[0], model)
            scoring.append(perf_counter_ns() - added)
            adding.append(added - before)
        made.append(profile)
    return made, adding, scoring


def _looked_ahead(profile: Profile) -> int:
    """Nanoseconds to work out when silence alone changes the level next."""
    before = perf_counter_ns()
    next_change(profile, NOW, default_model(), LOOK_DAYS)
    return perf_counter_ns() - before


def _score(stored: list[bytes], count: int) -> int:
    """Decode and assess, reasons and all, as `touchline risk` does."""
    model = default_model()
    for place in range(count):
        assess(load_profile(stored[place % len(stored)]), NOW, model)
    return count
