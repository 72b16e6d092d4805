"""When a partition is stopped: most of its last records refused, and not just a few."""

from agents.guard import LEAST, WINDOW, Guard


def test_a_few_bad_records_stop_nothing_though_they_are_all():
    guard = Guard()
    assert not any(guard.trips(0, 1, 1) for _ in range(LEAST - 1))
    assert guard.trips(0, 1, 1)


def test_half_is_not_yet_most():
    assert not Guard().trips(0, WINDOW, WINDOW // 2)
    assert Guard().trips(0, WINDOW, WINDOW // 2 + 1)


def test_old_chunks_are_forgotten_good_or_bad():
    guard = Guard()
    for _ in range(50):
        assert not guard.trips(0, 100, 0)
    assert [guard.trips(0, 100, 100) for _ in range(6)] == [False] * 5 + [True]
    recovering = Guard()
    assert not recovering.trips(0, 500, 400)
    for _ in range(10):
        assert not recovering.trips(0, 100, 10)


def test_partitions_are_judged_apart():
    guard = Guard()
    assert not guard.trips(0, 400, 400)
    assert not guard.trips(1, 400, 400)
    assert guard.trips(0, 200, 200)


def test_empty_chunks_say_nothing():
    guard = Guard()
    assert not guard.trips(0, 0, 0)
    assert guard.trips(0, 600, 600)
