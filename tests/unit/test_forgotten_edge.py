"""The collector takes nothing in of somebody who is to stay forgotten, and keeps nothing of what it refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.collector.intake import Intake
from pipeline.collector.pieces import Piece
from pipeline.forgotten import Entry, Register, hash_of
from schemas.codec import Decoder

SECRET = "a secret"
NOW = 1_780_000_000_000
GOOD = {"channel": "web", "touchpoint": "page_view", "occurred_at": "2026-03-01T12:00:00Z"}
ANN, DEVICE = {"customer_id": "ann"}, {"anonymous_id": "device-1"}
REGISTER = Register(SECRET, {hash_of(SECRET, key): Entry(1, refuse=True) for key in (b"ann", b"anon:device-1")})


def taken(*events: Any) -> Any:
    pieces = [Piece(index, json.dumps(event).encode()) for index, event in enumerate(events)]
    return Intake(register=REGISTER).take(pieces, NOW, "http")


@pytest.mark.parametrize("event", [{**GOOD, **ANN}, {**GOOD, **DEVICE}, {**ANN, "channel": "no_such"}, ANN])
def test_an_event_of_theirs_is_refused_right_or_wrong(event: dict[str, Any]) -> None:
    found = taken(event, {**GOOD, "customer_id": "bob"})
    [(index, refused)] = found.refused
    assert (index, [error.code for error in refused.errors]) == (0, ["forgotten"])
    [(_, letter)] = Intake(register=REGISTER).dead_letters(found.refused, NOW, "http")
    assert letter is not None
    kept = Decoder("rejected")(letter)
    assert (kept["original"], kept["event_id"], kept["code"]) == (b"", None, "forgotten")
    assert b"ann" not in letter
    assert b"device-1" not in letter
    assert [key for key, _ in found.accepted] == [b"bob"]


def test_others_are_taken_in_with_the_same_device_and_wrong_ones_are_kept_as_ever() -> None:
    """Somebody else on the device is somebody else; and what is no event at all cannot be theirs."""
    found = taken({**GOOD, "customer_id": "bob", **DEVICE}, {**GOOD, "customer_id": 7}, [1], "text")
    assert [key for key, _ in found.accepted] == [b"bob"]
    assert all(refused.original for _, refused in found.refused)
    assert "forgotten" not in {error.code for _, refused in found.refused for error in refused.errors}
