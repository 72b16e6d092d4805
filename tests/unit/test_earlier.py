"""What the first layout stored can be read, and goes on."""

import msgspec

from pipeline.reasons import assess
from pipeline.risk_model import default_model
from pipeline.signals import Kind
from pipeline.state import Profile, dump, load, load_profile
from tests.reference import DAY, START

STEP = (START, bytes(16), "web.page_view")
OLD = [START, STEP, START, START - 90 * DAY, 9, 1, 7, 2, 0, {}, -900_000, 1]
OLD += [{"nps": (START, bytes(16), 3.0)}, [(START, int(Kind.DETRACTOR), 1.0)], None, START]


def old_state(profile: list[object]) -> bytes:
    return msgspec.msgpack.encode([1, 5, START, 0, [], [], b"", [], profile, "low", None])


def test_a_state_of_the_first_layout_keeps_all_that_it_knew():
    state = load(old_state(OLD))
    profile = state.profile
    assert (state.offset, state.level) == (5, "low")
    assert (profile.inbound, profile.visits, profile.returned_at) == (9, 7, START)
    assert profile.answers["nps"][0][:3] == (START, bytes(16), 3.0)
    assert [signal[:2] for signal in profile.signals] == [(START, Kind.DETRACTOR)]
    assert (profile.day, profile.calm_at) == (START // DAY, START)
    assert load(dump(state)) == state
    [reason] = [each for each in assess(profile, START, default_model()).reasons if each.code == "detractor"]
    assert reason.evidence[0].event_id == b""


def test_one_without_signals_is_given_its_two_days():
    profile = load(old_state([*OLD[:12]])).profile
    assert int.from_bytes(profile.days, "little").bit_count() == 2


def test_a_profile_from_clickhouse_is_read_in_either_layout():
    old = load_profile(msgspec.json.encode(OLD))
    assert load_profile(msgspec.json.encode(old)) == old
    assert isinstance(old, Profile)
