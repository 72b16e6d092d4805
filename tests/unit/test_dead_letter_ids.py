"""A dead letter's id: the same refusal has it again, and no other has it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from pipeline.collector.intake import EventId, Intake
from pipeline.collector.pieces import Piece
from pipeline.model import FieldError, LogPosition, Rejected, dead_letter
from schemas.codec import Decoder

NOW = 1_772_366_400_000
WHY = (FieldError("time_future", "occurred_at", "too far ahead"),)
BAD: dict[str, Any] = {"customer_id": "c-1", "channel": "wbe", "touchpoint": "page_view"}
UUID = "00000000-0000-4000-8000-000000000001"


def id_of(refused: Rejected, source: str = "http", now: int = NOW, position: LogPosition | None = None) -> str:
    return str(dead_letter(refused, source, now, position)["dead_letter_id"])


def test_an_event_with_an_id_has_one_dead_letter_however_often_it_is_sent() -> None:
    refused = Rejected(WHY, b"{}", UUID)
    assert id_of(refused) == id_of(refused, now=NOW + 5)
    others = [Rejected(WHY, b"[]", UUID), Rejected(WHY, b"{}", UUID[:-1] + "2")]
    assert len({id_of(refused), *map(id_of, others), id_of(refused, "emitter")}) == 4


@pytest.mark.parametrize("event_id", [None, ""])
def test_what_has_no_identity_is_two_when_it_comes_twice(event_id: str | None) -> None:
    refused = Rejected(WHY, b"{}", event_id)
    assert id_of(refused) != id_of(refused)


def test_a_log_position_and_a_line_come_before_the_event_id() -> None:
    refused = Rejected(WHY, b"{}", UUID, "an import", 3)
    position = LogPosition("touchpoints", 1, 2, 3)
    elsewhere = Rejected(WHY, b"[]", None, "an import", 3)
    assert id_of(refused, position=position) == id_of(elsewhere, "landing", position=position)
    assert id_of(refused) == id_of(Rejected(WHY, b"{}", None, "an import", 3))
    assert id_of(refused) != id_of(Rejected(WHY, b"{}", UUID, "an import", 4))


def letters(events: Iterable[bytes], now: int, event_id: EventId | None = None) -> list[dict[str, Any]]:
    intake, decode = Intake(), Decoder("rejected")
    taken = intake.take([Piece(index, raw) for index, raw in enumerate(events)], now, "http", event_id)
    assert not taken.accepted
    return [decode(value) for _, value in intake.dead_letters(taken.refused, now, "http")]


def test_a_request_again_under_its_key_keeps_each_refusal_once() -> None:
    bad = json.dumps(BAD).encode()
    events = [bad, bad, b"{oops", b"7", b'"' + b"x" * 70_000 + b'"', json.dumps({**BAD, "event_id": UUID}).encode()]
    first, again = (letters(events, now, lambda index: f"key-{index}") for now in (NOW, NOW + 1))
    ids = [letter["dead_letter_id"] for letter in first]
    assert ids == [letter["dead_letter_id"] for letter in again]
    assert len(set(ids)) == len(events)
    assert [letter["event_id"] for letter in first] == [*(f"key-{index}" for index in range(5)), UUID]


def test_without_a_key_only_events_with_an_id_are_known_again() -> None:
    events = [json.dumps(BAD).encode(), json.dumps({**BAD, "event_id": UUID}).encode()]
    first, again = ([letter["dead_letter_id"] for letter in letters(events, now)] for now in (NOW, NOW + 1))
    assert first[0] != again[0]
    assert first[1] == again[1]
