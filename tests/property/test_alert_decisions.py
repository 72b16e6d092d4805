"""Whatever the changes of risk: what alerts promise of each customer."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.decision import Said, due, on_acknowledged, on_change, on_snooze, on_time
from pipeline.alerts.policy import DAY, RANK, Policy
from pipeline.alerts.standing import NOBODY, Change, Standing, dump, load

LEVELS = ("low", "medium", "high", "critical", "gone")
FLEETING, AWAY = "fleeting", "away"
"""High, but not for long; high for staying away."""
STEPS = st.lists(
    st.tuples(
        st.integers(0, 5 * DAY),
        st.sampled_from((*LEVELS, FLEETING, AWAY))
        | st.tuples(st.just("snooze"), st.integers(0, 10 * DAY))
        | st.just("time"),
        st.booleans(),
    ),
    max_size=30,
)
POLICIES = st.builds(
    Policy,
    raise_at=st.sampled_from(["high", "critical"]),
    over_at=st.sampled_from(["low", "medium"]),
    cooldown=st.integers(0, 9).map(lambda days: days * DAY),
    lasting=st.booleans(),
    absence=st.integers(0, 4).map(lambda days: days * DAY),
)


def change(at: int, level: str, imported: bool = False, previous: str | None = None) -> Change:
    main = "less_active" if level == AWAY else "complaint"
    why, lasting = [("habit", -20.0, "comes often"), (main, 9.5, "why")], level != FLEETING
    return Change(at, 50.0, _level(level), _level(previous), why, "call_back", "1", imported, lasting=lasting)


def _level(what: str | None) -> str | None:
    return "high" if what in {FLEETING, AWAY} else what


def lived(steps, policy: Policy, *, history: bool = False) -> tuple[Standing, list[Said], list[tuple[int, str]]]:
    """The standing at the end, all that was said, and the levels as they were; each standing goes through bytes."""
    standing, said, levels, now, before = NOBODY, [], [], 0, None
    for wait, what, imported in steps:
        now += wait
        if isinstance(what, tuple):
            standing = on_snooze(standing, now + what[1])
            continue
        if what == "time":
            standing, new = on_time("ann", standing, now, policy)
        else:
            standing, new = on_change("ann", standing, change(now, what, imported and history, before), policy)
            before = what
            if not (imported and history):
                levels.append((now, what))
        said += new
        standing = load(dump(standing))
    return standing, said, levels


@given(STEPS, POLICIES)
def test_every_alert_is_over_at_most_once_and_nothing_else_is(steps, policy):
    _, said, _ = lived(steps, policy)
    raised = [each.alert_id for each in said if each.status == "raised"]
    over = [each.about for each in said if each.status == "over"]
    assert len(set(over)) == len(over)
    assert set(over) <= set(raised)
    assert len({each.alert_id for each in said}) == len(said)


@given(STEPS, POLICIES)
def test_within_a_cooldown_only_a_higher_level_raises_again(steps, policy):
    _, said, _ = lived(steps, policy)
    raised = [each for each in said if each.status == "raised"]
    for before, after in pairwise(raised):
        higher = RANK[after.change.level] > RANK[before.change.level]
        assert higher or after.at >= before.at + policy.cooldown


@given(STEPS, POLICIES)
def test_an_alert_is_raised_at_its_levels_and_said_for_the_level_of_that_moment(steps, policy):
    _, said, levels = lived(steps, policy)
    for each in said:
        if each.status == "raised":
            assert policy.raises(each.change.level, each.change.lasting)
        else:
            assert policy.ends(each.change.level)
        reached = [_level(level) for at, level in levels if at <= each.at]
        assert each.change.level in reached


@given(STEPS, POLICIES)
def test_the_same_log_says_the_same_again(steps, policy):
    assert lived(steps, policy) == lived(steps, policy)


@given(STEPS, POLICIES)
def test_looking_at_the_clock_before_each_change_says_the_same(steps, policy):
    steps = [step for step in steps if not isinstance(step[1], tuple)]
    often = [each for wait, what, old in steps for each in ((wait, "time", False), (0, what, old))]
    assert lived(often, policy)[:2] == lived(steps, policy)[:2]


@given(STEPS, POLICIES)
def test_imported_history_never_says_anything(steps, policy):
    assert lived([(wait, what, True) for wait, what, _ in steps], policy, history=True)[1] == []


@given(STEPS, POLICIES)
def test_whoever_stays_at_risk_has_an_alert_or_one_that_is_due(steps, policy):
    standing, _, levels = lived(steps, policy)
    if levels and policy.raises(_level(levels[-1][1]), levels[-1][1] != FLEETING):
        assert standing.is_open or due(standing, policy) is not None
    elif levels and policy.ends(_level(levels[-1][1])):
        assert not standing.is_open
        assert standing.held is None


@given(STEPS, POLICIES)
def test_nothing_is_raised_while_snoozed(steps, policy):
    standing, now = NOBODY, 0
    for wait, what, _ in steps:
        now += wait
        if isinstance(what, tuple):
            standing = on_snooze(standing, now + what[1])
            continue
        until = standing.snoozed_until
        if what == "time":
            standing, said = on_time("ann", standing, now, policy)
        else:
            standing, said = on_change("ann", standing, change(now, what), policy)
        assert all(each.at >= until for each in said if each.status == "raised")


def test_of_somebody_imported_at_a_worse_level_who_is_better_now_nothing_is_said():
    policy = Policy()
    standing, said = on_change("ann", NOBODY, change(0, "critical", imported=True), policy)
    standing, better = on_change("ann", standing, change(DAY, "high", previous="critical"), policy)
    assert said == better == ()
    _, worse = on_change("ann", standing, change(2 * DAY, "critical", previous="high"), policy)
    assert [each.change.level for each in worse] == ["critical"]


def test_an_acknowledgement_counts_for_the_last_alert_only():
    policy = Policy()
    standing, [raised] = on_change("ann", NOBODY, change(5, "high"), policy)
    assert on_acknowledged(standing, "another", 6) == standing
    assert on_acknowledged(standing, raised.alert_id, 6).acknowledged_at == 6
    escalated, [second] = on_change("ann", on_acknowledged(standing, raised.alert_id, 6), change(7, "critical"), policy)
    assert (escalated.acknowledged_at, second.alert_id != raised.alert_id) == (None, True)


def test_a_risk_that_would_pass_by_itself_raises_nothing_until_it_would_not():
    standing, said = on_change("ann", NOBODY, change(0, FLEETING), Policy())
    assert (said, due(standing, Policy())) == ((), None)
    _, [raised] = on_change("ann", standing, change(DAY, "high", previous=FLEETING), Policy())
    assert (raised.status, raised.at) == ("raised", DAY)
    _, [at_once] = on_change("ann", NOBODY, change(0, FLEETING), Policy(lasting=False))
    assert (at_once.status, at_once.at) == ("raised", 0)


def test_of_who_stays_away_is_told_once_that_has_lasted():
    policy = Policy(absence=2 * DAY)
    standing, said = on_change("ann", NOBODY, change(0, AWAY), policy)
    assert (said, due(standing, policy)) == ((), 2 * DAY)
    standing, said = on_change("ann", standing, change(DAY, "medium"), policy)
    assert (said, due(standing, policy)) == ((), None)
    standing, _ = on_change("ann", standing, change(3 * DAY, AWAY), policy)
    assert on_time("ann", standing, 5 * DAY - 1, policy).said == ()
    _, [late] = on_time("ann", standing, 6 * DAY, policy)
    assert (late.status, late.at, late.change.level) == ("raised", 5 * DAY, "high")
    _, [now] = on_change("ann", standing, change(4 * DAY, "critical", previous="high"), policy)
    assert (now.status, now.at) == ("raised", 4 * DAY)
    _, [other] = on_change("ann", NOBODY, change(4 * DAY, "high"), policy)
    assert (other.status, other.at) == ("raised", 4 * DAY)


def test_what_cooldown_held_back_is_raised_when_it_ends_under_that_moment():
    policy = Policy(cooldown=7 * DAY)
    standing, said = NOBODY, []
    for at, level in ((0, "high"), (DAY, "low"), (2 * DAY, "high")):
        standing, new = on_change("ann", standing, change(at, level), policy)
        said += new
    assert [(each.status, each.at) for each in said] == [("raised", 0), ("over", DAY)]
    assert due(standing, policy) == 7 * DAY
    standing, [late] = on_time("ann", standing, 9 * DAY, policy)
    assert (late.status, late.at, late.change.as_of) == ("raised", 7 * DAY, 2 * DAY)
    assert on_time("ann", standing, 20 * DAY, policy).said == ()
