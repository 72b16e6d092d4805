"""The memory for duplicates: exact within the history, bounded beyond the limit, never counting twice."""

from pipeline.customer import Rules, fold, touch_of
from pipeline.seen import HOUR, LIMIT, WIDTH, Seen, key_of
from pipeline.settings import Settings
from pipeline.state import dump, load
from tests.reference import CUSTOMER, HISTORY, START, touchpoint

RULES = Rules.of(Settings())


def key(number: int) -> bytes:
    return key_of(number.to_bytes(16, "big"))


def remembered(*hours: int) -> Seen:
    seen = Seen([], [], b"")
    for number, hour in enumerate(hours):
        seen.add(key(number), hour * HOUR + number)
    return seen


def test_what_was_added_is_known_and_nothing_else():
    seen = remembered(3, 1, 2, 1, 3)
    assert all(key(number) in seen for number in range(5))
    assert key(5) not in seen
    assert b"" != key(1) != key(2)


def test_a_key_is_found_only_where_one_begins():
    seen = Seen([0], [2], b"abcdefgh" + b"ijklmnop")
    assert b"efghijkl" not in seen
    assert b"ijklmnop" in seen


def test_a_key_is_found_behind_a_place_where_it_only_seems_to_begin():
    seen = Seen([0], [2], b"xaaaaaaa" + b"aaaaaaaa")
    assert b"aaaaaaaa" in seen
    assert b"aaaaaaax" not in seen


def test_keys_lie_by_hour_whatever_the_order():
    seen = remembered(5, 2, 9, 2, 5)
    assert (seen.hours, seen.counts) == ([2, 5, 9], [2, 2, 1])
    assert bytes(seen.keys) == key(1) + key(3) + key(0) + key(4) + key(2)


def test_whole_hours_before_the_horizon_are_forgotten():
    seen = remembered(2, 5, 9)
    seen.forget(5 * HOUR + HOUR // 2)
    assert [number for number in range(3) if key(number) in seen] == [1, 2]
    seen.forget(100 * HOUR)
    assert (seen.hours, seen.counts, seen.keys) == ([], [], bytearray())


def test_beyond_the_limit_the_oldest_hour_goes_and_the_floor_rises():
    seen = remembered(*([1] * 10), *([2] * (LIMIT - 10)))
    assert seen.add(key(LIMIT), 3 * HOUR) == 2 * HOUR
    assert key(0) not in seen
    assert key(10) in seen
    assert len(seen.keys) == WIDTH * sum(seen.counts)


def test_within_one_full_hour_the_oldest_arrival_goes():
    seen = remembered(*([1] * LIMIT))
    assert seen.add(key(LIMIT), HOUR) is None
    assert (key(0) in seen, key(1) in seen, key(LIMIT) in seen) == (False, True, True)
    assert seen.counts == [LIMIT]


def test_the_busiest_customer_is_never_counted_twice():
    """Twice the limit of touchpoints within the history, all delivered again: each counts once."""
    log = [touchpoint(number, START + number * HOUR // 6) for number in range(2 * LIMIT)]
    touches = [touch_of(offset, record) for offset, record in enumerate(log + log)]
    first = fold(CUSTOMER, None, 1, touches[: len(log)], RULES)
    assert first is not None
    assert first.state.floor > START
    assert len(first.state.seen) <= LIMIT * WIDTH
    again = fold(CUSTOMER, load(dump(first.state)), 1, touches[len(log) :], RULES)
    assert again is not None
    assert again.customer is None
    assert again.journeys == again.risk == []
    assert {late["reason"] for late in again.late} == {"limit"}
    assert len(again.late) == len(log) - len(first.state.seen) // WIDTH


def test_a_redelivery_as_old_as_the_history_is_still_known():
    """What may still be applied must not be forgotten: the memory reaches as far as the history."""
    log = [touchpoint(1, START), touchpoint(2, START + HISTORY - HOUR), touchpoint(3, START + HISTORY)]
    state = None
    for offset, record in enumerate(log):
        folded = fold(CUSTOMER, state, 1, [touch_of(offset, record)], RULES)
        assert folded is not None
        state = load(dump(folded.state))
    assert fold(CUSTOMER, state, 1, [touch_of(9, log[0])], RULES) is None


def test_a_replay_counts_nothing_twice_even_where_the_memory_was_too_small():
    """The position in the log knows what the memory had to drop."""
    touches = [touch_of(number, touchpoint(number, START)) for number in range(LIMIT + 10)]
    folded = fold(CUSTOMER, None, 1, touches, RULES)
    assert folded is not None
    assert key(0) not in Seen(folded.state.hours, folded.state.counts, folded.state.seen)
    assert fold(CUSTOMER, folded.state, 1, touches, RULES) is None
