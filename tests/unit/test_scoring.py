"""Scores at a moment: the same as the agent's where nothing is late, whatever came afterwards."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.customer import Rules, Touch, fold, touch_of
from pipeline.demo.judgement import judge
from pipeline.demo.proof import Counted, Found, problems
from pipeline.demo.run import spread
from pipeline.model import Rejected
from pipeline.reasons import Evidence, Reason, Risk, assess
from pipeline.scoring import Scored, highest, profile_of
from pipeline.settings import Settings
from pipeline.simulator import simulate
from pipeline.state import Profile
from pipeline.validation import validate

NOW = datetime(2026, 3, 5, 15, 30, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
RULES = Rules.of(Settings())


@pytest.fixture(scope="module")
def arrivals() -> dict[str, list[Touch]]:
    """Every touchpoint of a company by customer, in order of arrival, duplicates and all."""
    company = simulate(60, 2400, 5, NOW)
    found: dict[str, list[Touch]] = defaultdict(list)
    for offset, event in enumerate(company.history + company.live):
        record = validate(event, NOW_MS, "http")
        assert not isinstance(record, Rejected)
        found[record["customer_id"]].append(touch_of(offset, record))
    return found


def in_order(touches: list[Touch], until: int = NOW_MS) -> Profile:
    """As scoring sees them: each once, in order of time, up to a moment."""
    once = {touch.step[1]: touch for touch in touches if touch.step[0] <= until}
    return profile_of(((t.step, t.record) for t in sorted(once.values(), key=lambda t: t.step)), RULES)


def test_profiles_in_order_of_time_are_those_of_the_agent(arrivals: dict[str, list[Touch]]) -> None:
    for customer, touches in arrivals.items():
        folded = fold(customer, None, 1, touches, RULES)
        assert folded is not None
        assert in_order(touches) == folded.state.profile


def test_what_comes_later_changes_no_score_of_before(arrivals: dict[str, list[Touch]]) -> None:
    until = NOW_MS - 60 * 86_400_000
    for touches in arrivals.values():
        known = [touch for touch in touches if touch.step[0] <= until]
        if known:
            assert assess(in_order(touches, until), until, RULES.model) == assess(in_order(known), until, RULES.model)


def test_a_silence_as_long_as_the_gap_opens_no_visit(arrivals: dict[str, list[Touch]]) -> None:
    touches = next(iter(arrivals.values()))
    first = next(touch for touch in touches if touch.record["direction"] == "inbound")

    def after(*silences: int) -> Profile:
        moments = [first.step[0] + sum(silences[:n]) for n in range(len(silences) + 1)]
        return profile_of((((moment, first.step[1], first.step[2]), first.record) for moment in moments), RULES)

    gaps = RULES.gaps
    assert (after(gaps.visit).visits, after(gaps.visit + 1).visits) == (1, 2)
    assert (after(gaps.journey).journeys, after(gaps.journey + 1).journeys) == (1, 2)


def test_a_profile_needs_a_touchpoint() -> None:
    with pytest.raises(ValueError, match="needs a touchpoint"):
        profile_of([], RULES)


def scored(customer: str, score: float, level: str = "high") -> Scored:
    reason = Reason("complaint", 1.0, "complained", (Evidence(bytes(15) + b"\x01", "phone.complaint", NOW_MS),))
    return Scored(customer, Risk(NOW_MS, score, level, (reason,), "none", "test"))


async def pages(*content: list[Scored]) -> AsyncIterator[list[Scored]]:
    for page in content:
        yield page


async def test_highest_come_first_ties_by_name() -> None:
    low, tie_a, tie_b, top = scored("z", 1), scored("a", 50), scored("b", 50), scored("m", 99)
    assert await highest(pages([low, tie_b], [top, tie_a])) == [top, tie_a, tie_b, low]
    assert await highest(pages([low, tie_b], [top, tie_a]), limit=2) == [top, tie_a]
    assert await highest(pages([]), limit=2) == []


def test_the_judgement_leaves_out_who_left_long_ago_and_who_has_no_name() -> None:
    levels = {"found": "critical", "left": "gone", "alarm": "high", "missed": "medium", "old": "gone", "anon:x": "high"}
    judged = judge([scored(name, 50, level) for name, level in levels.items()], {"found", "left", "missed"}, {"old"})
    assert (judged.found, judged.alarms, judged.missed) == (2, 1, 1)
    assert (judged.precision, judged.recall) == (0.6667, 0.6667)
    assert (judge([], set(), set()).precision, judge([], set(), set()).recall) == (None, None)


def test_every_number_that_does_not_add_up_is_named() -> None:
    company = simulate(5, 60, 1, NOW)
    touchpoints, duplicates, refused = company.touchpoints, company.duplicates, len(company.bad)
    accepted = touchpoints + duplicates
    counted = Counted(accepted + refused, accepted, refused)

    def found(landed: int = touchpoints, folded: int = touchpoints, dead_letters: int = refused) -> Found:
        return Found(accepted, landed, 0, folded, dead_letters, 5, anonymous=1, visits=9, journeys=5, alerts=0)

    assert problems(counted, found(), company, audit_ok=True) == []
    assert len(problems(counted, found(), company, audit_ok=False)) == 1
    assert "dead letters" in problems(counted, found(dead_letters=refused - 1), company, audit_ok=True)[0]
    assert "in profiles" in problems(counted, found(folded=touchpoints - 1), company, audit_ok=True)[0]
    assert len(problems(counted, found(landed=touchpoints - 1), company, audit_ok=True)) == 3
    lost = Counted(accepted + refused, accepted - 1, refused)
    assert len(problems(lost, found(), company, audit_ok=True)) == 2


def test_spread_keeps_both_orders() -> None:
    mixed = spread([{"n": n} for n in range(9)], [{"bad": n} for n in range(3)])
    assert [event["n"] for event in mixed if "n" in event] == list(range(9))
    assert [event["bad"] for event in mixed if "bad" in event] == [0, 1, 2]
    assert all("bad" not in event for event in (mixed[0], mixed[-1]))


def test_json_of_a_score() -> None:
    as_of = (NOW - timedelta(days=1)).isoformat()
    assert scored("c", 50.5).to_json(as_of) == {
        "customer_id": "c",
        "as_of": as_of,
        "score": 50.5,
        "level": "high",
        "reasons": [
            {
                "code": "complaint",
                "points": 1.0,
                "text": "complained",
                "evidence": [
                    {
                        "event_id": "00000000-0000-0000-0000-000000000001",
                        "touchpoint": "phone.complaint",
                        "occurred_at": "2026-03-05T15:30:00.000Z",
                    }
                ],
            }
        ],
        "action": "none",
        "model_version": "test",
    }
