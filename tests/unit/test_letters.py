"""What each kind of dead letter becomes when it is replayed."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest

from pipeline.alerts.records import sample
from pipeline.letters import Letter, Ready, Replaying
from pipeline.line_ids import fingerprint, line_event_id
from pipeline.model import FieldError, LogPosition, Rejected, dead_letter
from schemas.codec import Decoder, Encoder, header
from tests.reference import START, touchpoint

NOW = 1_772_366_400_000
WHY = (FieldError("unknown_channel", "channel", "unknown channel"),)
GOOD: dict[str, Any] = {
    "customer_id": "c-1",
    "occurred_at": "2026-03-01T12:00:00Z",
    "channel": "web",
    "touchpoint": "page_view",
}
UUID = "0A000000-0000-4000-8000-000000000001"
ENCODE = Encoder("touchpoints")
POSITION = LogPosition("touchpoints", 7, 1, 5)


def letter(refused: Rejected, source: str, position: LogPosition | None = None, **fields: Any) -> Letter:
    """A dead letter as it comes back from ClickHouse."""
    row = {**dead_letter(refused, source, NOW, position), "replayed_at": None, "ordinal": 0, **fields}
    return Letter(**{name: row[name] for name in Letter.__dataclass_fields__})


def event(given: Any, **fields: Any) -> Letter:
    return letter(Rejected(WHY, json.dumps(given).encode()), "http", **fields)


def framed(value: bytes, code: str = "contract", topic: str = "touchpoints") -> Letter:
    return letter(Rejected((FieldError(code, "", "why"),), value), "customers", replace(POSITION, topic=topic))


def replayed(given: Letter, now: int = NOW) -> Ready:
    ready = Replaying()(given, now)
    assert isinstance(ready, Ready), ready
    assert Decoder("touchpoints")(ready.value) == ready.record
    assert ready.key == ready.record["customer_id"].encode()
    return ready


def stays(given: Letter, now: int = NOW) -> tuple[str, str]:
    reason = Replaying()(given, now)
    assert isinstance(reason, FieldError)
    assert reason.message
    return reason.code, reason.path


def test_an_event_is_validated_at_the_moment_of_the_replay():
    ahead = event({**GOOD, "occurred_at": "2026-03-02T18:00:00Z"})
    assert stays(ahead) == ("time_future", "occurred_at")
    record = replayed(ahead, NOW + 10 * 3_600_000).record
    assert (record["received_at"], record["source"], record["import_id"]) == (NOW + 10 * 3_600_000, "http", None)


def test_an_event_keeps_its_id():
    assert replayed(event({**GOOD, "event_id": UUID})).record["event_id"] == UUID.lower()


def test_an_event_without_an_id_gets_the_one_of_its_request():
    given = letter(Rejected(WHY, json.dumps(GOOD).encode(), UUID.lower()), "http")
    assert replayed(given).record["event_id"] == UUID.lower()


@pytest.mark.parametrize("claimed", [None, "", "no-uuid", "{0A000000-0000-4000-8000-000000000001}"])
def test_an_event_without_any_id_gets_one_from_its_letter(claimed):
    given = event(GOOD, event_id=claimed)
    first, again = replayed(given), replayed(given, NOW + 1)
    assert first.record["event_id"] == again.record["event_id"]
    assert replayed(event(GOOD)).record["event_id"] != first.record["event_id"]
    assert uuid.UUID(first.record["event_id"]).version == 5


def test_a_line_gets_the_id_of_its_content_and_ordinal():
    line = letter(Rejected(WHY, json.dumps({**GOOD, "value": None}).encode(), None, "import", 17), "backfill")
    ids = [replayed(replace(line, ordinal=ordinal)).record["event_id"] for ordinal in (0, 1)]
    assert ids == [line_event_id(fingerprint(GOOD), ordinal) for ordinal in (0, 1)]
    record = replayed(line).record
    assert (record["source"], record["import_id"]) == ("backfill", "import")


@pytest.mark.parametrize(
    ("original", "code"),
    [(b"{oops", "not_json"), (b"\xff", "not_utf8"), (b"", "not_json"), (b"7", "type"), (b"[" * 10_000, "too_deep")],
)
def test_what_is_no_event_stays(original, code):
    assert stays(letter(Rejected(WHY, original), "http"))[0] == code


def test_a_line_that_is_no_json_is_to_be_mended_in_its_file():
    reason = Replaying()(letter(Rejected(WHY, b"a,b", None, "import", 2), "backfill"), NOW)
    assert isinstance(reason, FieldError)
    assert (reason.code, "import that again" in reason.message) == ("not_json", True)


def test_every_reason_is_in_the_message():
    reason = Replaying()(event({**GOOD, "channel": "wbe", "outcome": "?"}), NOW)
    assert isinstance(reason, FieldError)
    assert "unknown channel" in reason.message and "outcome must be" in reason.message


def test_an_original_that_was_cut_stays():
    whole = json.dumps({**GOOD, "attributes": {"a": "x" * 70_000}}).encode()
    assert stays(letter(Rejected(WHY, whole), "http")) == ("cut", "")


@pytest.mark.parametrize("topic", ["journeys", "risk", "rejected"])
def test_a_record_of_another_topic_stays_and_the_way_out_is_named(topic):
    reason = Replaying()(framed(ENCODE(touchpoint(1)), topic=topic), NOW)
    assert isinstance(reason, FieldError)
    assert reason.code == "not_replayable"
    assert topic in reason.message and "rebuild" in reason.message


def test_a_record_refused_for_its_key_goes_under_its_customers():
    record = touchpoint(1, import_id="import")
    ready = replayed(framed(ENCODE(record)))
    assert (ready.key, ready.record, ready.value) == (b"ann", record, ENCODE(record))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"", ("framing", "")),
        (b"{}", ("framing", "")),
        (header(1_999) + b"body", ("schema_id", "")),
        (ENCODE(touchpoint(1))[:-1], ("body", "")),
        (ENCODE(touchpoint(1, occurred_at=START * 2)), ("contract", "occurred_at")),
        (ENCODE(touchpoint(1, event_id="no-uuid")), ("contract", "event_id")),
    ],
)
def test_a_record_that_is_still_wrong_stays(value, expected):
    assert stays(framed(value)) == expected


def test_what_the_engine_refused_is_sent_only_when_somebody_says_so():
    """The same bytes would be refused again, and give a second dead letter."""
    whole = framed(ENCODE(touchpoint(1)), "refused")
    assert stays(whole) == ("refused", "")
    ready = Replaying(force=True)(whole, NOW)
    assert isinstance(ready, Ready)
    assert ready.value == whole.original


def test_what_a_key_was_not_allowed_to_send_is_sent_only_when_somebody_says_so():
    """Else a replay of everything would let in what the key was meant to keep out."""
    why = (FieldError("not_allowed", "channel", "this key may not send channel 'web'"),)
    kept_out = letter(Rejected(why, json.dumps(GOOD).encode()), "http")
    assert stays(kept_out) == ("not_allowed", "channel")
    assert isinstance(Replaying(force=True)(kept_out, NOW), FieldError)
    assert isinstance(Replaying(allow=True)(kept_out, NOW), Ready)


def test_an_alert_that_was_given_up_is_to_be_delivered_again_there():
    alert = {**sample(UUID, NOW), "destination": "crm", "attempt": 9, "status": "given_up", "error": "HTTP 503"}
    given = framed(Encoder("alerts")(alert), "undeliverable", "alerts")
    ready = Replaying()(given, NOW + 5)
    assert isinstance(ready, Ready)
    assert (ready.topic, ready.key, ready.moment) == ("alerts", b"test", NOW + 5)
    again = Decoder("alerts")(ready.value)
    assert (again["status"], again["destination"], again["attempt"], again["error"]) == ("again", "crm", 10, None)
    assert stays(framed(b"no alert", "undeliverable", "alerts")) == ("framing", "")
    assert stays(framed(Encoder("alerts")(alert), "body", "alerts")) == ("not_replayable", "")
