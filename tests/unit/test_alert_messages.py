"""What destinations are sent, how it is signed, when it goes, and when it is tried again."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.decision import Said
from pipeline.alerts.messages import Message, signature
from pipeline.alerts.quiet import QuietHours
from pipeline.alerts.records import said_record
from pipeline.alerts.retries import Outcome, next_attempt, retry_after
from pipeline.alerts.routes import Route, told
from pipeline.alerts.standing import Change
from pipeline.model import Record

HOUR = 3_600_000


def moment(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def alert(number: int = 1, level: str = "high", at: int = 0, **fields: object) -> Record:
    change = Change(at, 70.0, level, "medium", [("complaint", 30.0, "complained today")], "call_back", "1")
    said = Said("raised", f"00000000-0000-0000-0000-{number:012d}", None, at, change)
    return {**said_record(f"c-{number}", said), **fields}


def test_the_signature_is_that_of_standard_webhooks() -> None:
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    signed = signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_is_the_same_each_time_and_its_id_is_the_alerts() -> None:
    message = Message.of([alert()])
    assert message.id == alert()["alert_id"]
    assert message.body() == Message.of([alert()]).body()
    body = json.loads(message.body())
    assert (body["type"], body["timestamp"], body["data"]["level"]) == (
        "alert.raised",
        "1970-01-01T00:00:00.000Z",
        "high",
    )
    assert message.words()[0] == "c-1: high risk of leaving, score 70"
    over = Message.of([alert(about=alert()["alert_id"], previous_level="high", level="low")])
    assert (over.type, over.words()[0]) == ("alert.over", "c-1: the risk is over (low, score 70)")


def test_a_digest_has_one_id_for_the_same_alerts_in_any_order() -> None:
    one, other = Message.of([alert(1), alert(2)]), Message.of([alert(2), alert(1)])
    assert (one.id, one.body()) == (other.id, other.body())
    assert one.id != Message.of([alert(1), alert(3)]).id
    assert [each["customer_id"] for each in json.loads(one.body())["data"]["alerts"]] == ["c-1", "c-2"]
    assert one.words()[0] == "2 alerts"


NIGHT = QuietHours(time(22), time(7), ZoneInfo("Europe/Berlin"), critical_passes=True)


@pytest.mark.parametrize(
    ("at", "over"),
    [
        ("2026-01-15T20:59:59+00:00", "2026-01-15T20:59:59+00:00"),
        ("2026-01-15T21:00:00+00:00", "2026-01-16T06:00:00+00:00"),
        ("2026-01-16T05:59:59+00:00", "2026-01-16T06:00:00+00:00"),
        ("2026-01-16T06:00:00+00:00", "2026-01-16T06:00:00+00:00"),
        ("2026-03-28T22:30:00+00:00", "2026-03-29T05:00:00+00:00"),  # summer time begins in this night
        ("2026-10-24T22:30:00+00:00", "2026-10-25T06:00:00+00:00"),  # and ends in this one
    ],
)
def test_quiet_hours_end_by_the_clocks_of_their_zone(at: str, over: str) -> None:
    assert NIGHT.over_at(moment(at)) == moment(over)


@given(st.integers(0, 4_000_000_000_000), st.integers(0, 23), st.integers(0, 23))
def test_quiet_hours_never_send_early_and_end_within_a_day(at: int, begin: int, end: int) -> None:
    quiet = QuietHours(time(begin), time(end), ZoneInfo("America/New_York"))
    assert at <= quiet.over_at(at) <= at + 26 * HOUR
    if begin != end:
        assert quiet.over_at(quiet.over_at(at)) == quiet.over_at(at)


def test_critical_alerts_pass_quiet_hours_where_they_may_and_digests_gather() -> None:
    night = moment("2026-01-15T23:10:00+00:00")
    route = Route(("ops",), quiet=NIGHT, digest=HOUR)
    assert route.when(alert(at=night)).moment == moment("2026-01-16T06:00:00+00:00")
    assert route.when(alert(at=night, level="critical")).moment == moment("2026-01-16T00:00:00+00:00")
    assert route.when(alert(at=night)).digest == route.when(alert(at=night + 1)).digest
    assert Route(("ops",)).when(alert(at=night)) == (night, None)


def test_each_destination_is_told_once_by_the_first_route_that_names_it() -> None:
    routes = (
        Route(("crm",), levels=frozenset({"critical"})),
        Route(("crm", "ops"), channels=frozenset({"phone"}), digest=HOUR),
        Route(("vip",), minimum_value=500.0, segments=frozenset({"gold"})),
    )
    assert dict(told(alert(), routes)) == {}
    assert dict(told(alert(channels=["phone"]), routes)) == {"crm": (HOUR, 0), "ops": (HOUR, 0)}
    assert dict(told(alert(level="critical", channels=["phone"]), routes)) == {"crm": (0, None), "ops": (HOUR, 0)}
    assert set(dict(told(alert(segment="gold", value=500.0), routes))) == {"vip"}
    over = alert(level="low", about="x", previous_level="critical")
    assert set(dict(told(over, routes))) == {"crm"}


@given(st.integers(1, 1_000), st.integers(0, 10**13), st.floats(0, 1))
def test_the_next_attempt_is_never_early_nor_later_than_the_bound(attempts: int, now: int, chance: float) -> None:
    bound = min(15 * 60_000, 1_000 * 2 ** min(attempts - 1, 30))
    assert now <= next_attempt(attempts, Outcome("HTTP 500"), now, chance) <= now + bound
    wish = now + 90_000
    assert next_attempt(attempts, Outcome("HTTP 429", wish), now, chance) >= wish


def test_retry_after_comes_in_seconds_or_as_a_date() -> None:
    assert retry_after("120", 1_000) == 121_000
    assert retry_after("Wed, 21 Oct 2026 07:28:00 GMT", 0) == round(
        datetime(2026, 10, 21, 7, 28, tzinfo=UTC).timestamp() * 1_000
    )
    assert retry_after(None, 0) is retry_after("soon", 0) is retry_after("", 0) is None


@given(st.text())
def test_no_retry_after_breaks_anything(header: str) -> None:
    assert retry_after(header, 5) is None or isinstance(retry_after(header, 5), int)
