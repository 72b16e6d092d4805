"""What the alerts agent does to chunks: however the log is cut into them, and read again, the same is said."""

from __future__ import annotations

from typing import Any

from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agents.alerting import Alerting, Outputs
from agents.chunk import Chunk
from pipeline.alerts.policy import DAY, Policy
from pipeline.alerts.records import acknowledgement, snooze
from pipeline.alerts.standing import Standing, load
from pipeline.requests import Forget, Forgotten, dump, is_request
from schemas.codec import Decoder, Encoder

EPOCHS = {"risk": 7, "alerts": 8}
RISK, ALERTS, DECODE = Encoder("risk"), Encoder("alerts"), Decoder("alerts")
Step = tuple[str, str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "ben"]),
        st.sampled_from(["low", "medium", "high", "critical", "gone", "snooze", "ack"]),
        st.integers(0, 4 * DAY),
    ),
    max_size=25,
)


def change(customer: str, level: str, at: int) -> bytes:
    return RISK(
        {
            "customer_id": customer,
            "revision": 1,
            "as_of": at,
            "score": 70.0,
            "level": level,
            "previous_level": None,
            "reasons": [{"code": "complaint", "points": 9.0, "text": "complained"}],
            "action": "call_back",
            "model_version": "1",
            "event_id": "00000000-0000-4000-8000-000000000001",
            "imported": False,
        }
    )


def logs(steps: list[Step]) -> list[tuple[str, bytes, bytes]]:
    """Topic, key and value of each step, in the order in which the worker meets them."""
    found, now = [], 0
    for customer, what, wait in steps:
        now += wait
        if what == "snooze":
            found.append(("alerts", customer.encode(), ALERTS(snooze(customer, now + 3 * DAY, now))))
        elif what == "ack":
            record = acknowledgement("00000000-0000-4000-8000-000000000009", customer, now)
            found.append(("alerts", customer.encode(), ALERTS(record)))
        else:
            found.append(("risk", customer.encode(), change(customer, what, now)))
    return found


class Worker:
    """The fold with the states and the logs around it."""

    def __init__(self) -> None:
        self.states: dict[bytes, bytes] = {}
        self.said: list[dict[str, Any]] = []
        self.refused = 0
        self._ends = {"risk": 0, "alerts": 0}
        self._fold = Alerting(Policy(), EPOCHS)

    def take(self, topic: str, records: list[tuple[bytes | None, bytes]], first: int | None = None) -> Outputs:
        first = self._ends[topic] if first is None else first
        made = [
            ConsumerRecord(topic, 0, first + n, 0, 0, key, value, None, 0, 0, ())
            for n, (key, value) in enumerate(records)
        ]
        out = self._fold(Chunk(topic, 0, first, first + len(made), made), self.states, 5)
        self._ends[topic] = max(self._ends[topic], first + len(made))
        for key, value in out.changelog:
            assert key is not None
            if value is None:
                del self.states[key]
            else:
                self.states[key] = value
        self.said += [DECODE(value) for _, value in out.alerts if not is_request(value)]
        return out


def lived(steps: list[Step], cuts: list[bool]) -> Worker:
    """The log in chunks: a new one begins where the topic changes, and where it is cut."""
    worker, gathered, last = Worker(), [], ""
    for number, (topic, key, value) in enumerate(logs(steps)):
        if gathered and (topic != last or (number < len(cuts) and cuts[number])):
            worker.take(last, gathered)
            gathered = []
        gathered.append((key, value))
        last = topic
    if gathered:
        worker.take(last, gathered)
    return worker


@given(STEPS, st.lists(st.booleans(), max_size=25))
def test_however_the_log_is_cut_the_same_is_said(steps: list[Step], cuts: list[bool]) -> None:
    one, other = lived(steps, cuts), lived(steps, [])
    assert one.states == other.states
    by_id = lambda said: sorted(said, key=lambda each: each["alert_id"])  # noqa: E731
    assert by_id(one.said) == by_id(other.said)


@given(STEPS)
def test_what_is_read_again_says_nothing_more(steps: list[Step]) -> None:
    worker = lived(steps, [])
    states, said = dict(worker.states), list(worker.said)
    for topic in ("risk", "alerts"):
        mine = [(key, value) for at, key, value in logs(steps) if at == topic and key in worker.states]
        offsets = [n for n, each in enumerate([e for e in logs(steps) if e[0] == topic]) if each[1] in worker.states]
        for offset, (key, value) in zip(offsets, mine, strict=True):
            worker.take(topic, [(key, value)], first=offset)
    assert worker.said == said
    assert {key: stripped(value) for key, value in worker.states.items()} == {
        key: stripped(value) for key, value in states.items()
    }


def stripped(state: bytes) -> Standing:
    """Without positions: what said nothing of a customer not remembered then leaves none."""
    return replace(load(state), risk_at=(-1, -1), orders_at=(-1, -1))


def test_what_was_held_back_is_raised_by_time_alone() -> None:
    worker = Worker()
    worker.take("risk", [(b"ann", change("ann", level, at)) for level, at in (("high", 0), ("low", 1), ("high", 2))])
    assert [each["status"] for each in worker.said] == ["raised", "over"]
    fold = Alerting(Policy(), EPOCHS)
    tick = Chunk("risk", 0, 3, 3, ())
    assert not any(fold(tick, worker.states, 7 * DAY - 1).by_topic().values())
    [(key, value)] = fold(tick, worker.states, 7 * DAY).alerts
    assert (key, DECODE(value)["raised_at"]) == (b"ann", 7 * DAY)


def test_what_cannot_be_read_is_refused_and_the_rest_goes_on() -> None:
    worker = Worker()
    out = worker.take(
        "risk", [(b"ann", b"poison"), (b"ben", change("ann", "high", 0)), (b"ann", change("ann", "high", 1))]
    )
    assert out.refused == [0, 1]
    letters = [Decoder("rejected")(value or b"") for _, value in out.rejected]
    assert [(each["code"], each["path"], each["source"]) for each in letters] == [
        ("framing", "", "alerts"),
        ("contract", "customer_id", "alerts"),
    ]
    assert [each["status"] for each in worker.said] == ["raised"]
    out = worker.take("alerts", [(b"ann", ALERTS(each)) for each in worker.said])
    assert not any(out.by_topic().values())


@given(STEPS, STEPS)
def test_a_forgotten_customer_stands_as_somebody_never_heard_of(before: list[Step], after: list[Step]) -> None:
    """What is said of the others stays as it is; the request goes on behind all that was said of the customer."""
    forget = dump(Forget("f", 10**12, b"h" * 32, refuse=False))
    worker, undisturbed = Worker(), Worker()
    for topic, key, value in logs(before):
        worker.take(topic, [(key, value)])
        if key != b"ann":
            undisturbed.take(topic, [(key, value)])
    out = worker.take("risk", [(b"ann", forget)])
    assert out.refused == []
    assert out.alerts[-1] == (b"ann", forget)
    assert b"ann" not in worker.states
    worker.take("alerts", [(b"ann", forget)])
    assert worker.states.keys() == undisturbed.states.keys()
    worker.said.clear()
    undisturbed.said.clear()
    for topic, key, value in logs(after):
        worker.take(topic, [(key, value)])
        undisturbed.take(topic, [(key, value)])
    assert worker.said == undisturbed.said


def test_the_request_read_back_drops_what_an_order_made_but_no_later_alert() -> None:
    worker = Worker()
    worker.take("alerts", [(b"ann", ALERTS(snooze("ann", 9 * DAY, 5)))])
    worker.take("alerts", [(b"ann", dump(Forget("f", DAY, b"h" * 32, refuse=False)))])
    assert b"ann" not in worker.states
    worker.take("risk", [(b"ann", change("ann", "critical", 2 * DAY))])
    worker.take("alerts", [(b"ann", dump(Forget("f", DAY, b"h" * 32, refuse=False)))])
    assert b"ann" in worker.states


def test_no_other_request_is_taken_from_these_topics() -> None:
    requests = [(b"ann", dump(Forgotten("f", b"h" * 32))), (None, dump(Forget("f", 1, b"h", refuse=False)))]
    assert Worker().take("risk", requests).refused == [0, 1]
