"""One customer with as many touchpoints as all others together costs per event about what the others do."""

from __future__ import annotations

import pytest

from tests.bench import hot

pytestmark = pytest.mark.fault

EVENTS = 60_000
MOST = 2.0
"""At full size it is about 1 (tests/bench/hot.py). So few other customers are cheap, and the machine is shared."""
VARIANTS = ("spread", "shuffled")
MEMORY_MB = 400


async def test_a_hot_customer_costs_about_as_much_per_event_as_the_others() -> None:
    alone = await hot.figures(EVENTS, None)
    for variant in VARIANTS:
        figures = hot.beside(await hot.figures(EVENTS, variant), alone)
        assert figures["cpu_per_event_times_the_stream_alone"] <= MOST, variant
        assert figures["peak_memory_mb"] < MEMORY_MB, variant
