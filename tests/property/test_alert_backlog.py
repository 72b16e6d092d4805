"""Whatever has happened to deliveries: the log read again from the position committed gives the same backlog."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.backlog import Backlog
from pipeline.alerts.plan import Plan
from pipeline.alerts.records import acknowledgement, again, attempt_record
from pipeline.alerts.routes import Destination, Route
from pipeline.model import Record
from tests.unit.test_alert_messages import alert

NAMES = ("crm", "ops")
PLAN = Plan(destinations={name: Destination(name, "webhook", "") for name in NAMES}, routes=(Route(NAMES),))
ALERTS = [alert(number) for number in range(5)]
ONE = st.sampled_from(ALERTS)
RECORDS = st.lists(
    st.one_of(
        ONE,
        st.builds(
            lambda one, name, status: attempt_record(one, name, 1, status=status, error=None, at=5),
            ONE,
            st.sampled_from(NAMES),
            st.sampled_from(["delivered", "failed", "given_up"]),
        ),
        st.builds(lambda one: acknowledgement(one["alert_id"], one["customer_id"], 5), ONE),
        st.builds(lambda one, name: again(one, name, 9), ONE, st.sampled_from([*NAMES, "unknown"])),
    ),
    max_size=40,
)


def read(records: list[Record], first: int = 0) -> Backlog:
    backlog = Backlog(PLAN)
    backlog.begin({0: first})
    for offset in range(first, len(records)):
        list(backlog.read(0, offset, records[offset]))
        backlog.passed(0, offset + 1)
    return backlog


def opened(backlog: Backlog) -> dict[tuple[str, str], tuple[int, int, int]]:
    return {key: (each.offset, each.due, each.attempts) for key, each in backlog._deliveries.items()}


@given(RECORDS)
def test_the_log_from_the_position_on_gives_the_same_backlog(records: list[Record]) -> None:
    whole = read(records)
    position = whole.position(0)
    assert opened(read(records, position)) == opened(whole)
    assert position == min((each[0] for each in opened(whole).values()), default=len(records))


@given(RECORDS)
def test_an_alert_is_open_until_it_is_delivered_given_up_or_acknowledged(records: list[Record]) -> None:
    expected: set[tuple[str, str]] = set()
    for record in records:
        match record["status"]:
            case "raised":
                expected |= {(record["alert_id"], name) for name in NAMES}
            case "again" if record["destination"] in NAMES:
                expected.add((record["alert_id"], record["destination"]))
            case "acknowledged":
                expected -= {(record["about"], name) for name in NAMES}
            case "delivered" | "given_up":
                expected.discard((record["alert_id"], record["destination"]))
    assert set(opened(read(records))) == expected


@given(RECORDS, ONE)
def test_nothing_about_a_forgotten_customer_is_open_and_nobody_else_is_touched(
    records: list[Record], one: Record
) -> None:
    backlog = read(records)
    before = opened(backlog)
    theirs = [each for each in backlog._deliveries.values() if each.alert["customer_id"] == one["customer_id"]]
    backlog.forget(0, one["customer_id"])
    assert all(each.forgotten and each.done for each in theirs)
    gone = {each.key for each in theirs}
    assert opened(backlog) == {key: value for key, value in before.items() if key not in gone}
    others = [each[0] for key, each in before.items() if key not in gone]
    assert backlog.position(0) == min(others, default=len(records))
