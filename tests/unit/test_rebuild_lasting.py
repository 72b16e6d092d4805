"""A rebuild never notifies, but it must not keep silent what comes to be known afterwards."""

from __future__ import annotations

from pipeline.customer import Rules, fold, touch_of
from pipeline.rebuilding import Hold, rebuild, take_over
from pipeline.settings import Settings
from tests.reference import CUSTOMER, DAY, HOUR, START, Record, touchpoint

RULES = Rules.of(Settings())
MOMENT = START + 35 * DAY


def happens(number: int, moment: int, name: str = "phone.inbound_call", **more: str) -> Record:
    return touchpoint(number, moment, name, received_at=moment, **more)


def test_a_risk_that_a_rebuild_finds_lasting_is_published_with_the_next_touchpoint() -> None:
    known = [
        happens(1, START, outcome="unresolved"),
        happens(2, MOMENT - 1, "web.page_view"),
        happens(3, MOMENT, outcome="unresolved"),
    ]
    before = fold(CUSTOMER, None, 1, [touch_of(place, each) for place, each in enumerate(known)], RULES)
    assert before is not None
    assert (before.state.level, before.state.lasting) == ("high", False)
    late = happens(4, MOMENT - 2 * DAY, "phone.complaint")
    rebuilt = rebuild(CUSTOMER, [*known, late], RULES).state
    hold = Hold("rebuild", 1, 3, MOMENT, [])
    taken = take_over(CUSTOMER, before.state, rebuilt, hold, held=[], position=(1, 4), now=MOMENT + HOUR, rules=RULES)
    assert (taken.state.level, taken.risk) == ("high", [])
    calm = touch_of(5, happens(5, MOMENT + 2 * HOUR, "web.page_view"))
    after = fold(CUSTOMER, taken.state, 1, [calm], RULES)
    assert after is not None
    assert [(row["previous_level"], row["level"], row["lasting"]) for row in after.risk] == [("high", "high", True)]
    assert not after.risk[0]["imported"]
