"""What came in, shown: never raises, never commands a terminal, bounded where it is not text."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.originals import DUMPED_BYTES, hex_dump, printable, readable
from schemas.codec import Encoder
from tests.integration.sinks_samples import rejected
from tests.reference import touchpoint
from tests.unit.test_letters import event, framed


def test_json_is_indented_and_control_characters_are_escaped():
    kind, text = readable(event({"name": "käufer \x1b[2J \u202e \x9b", "n": 1}))
    assert kind == "json"
    assert "käufer" in text
    assert "\x1b" not in text and "\u202e" not in text and "\x9b" not in text
    assert json.loads(text)["n"] == 1


def test_a_framed_record_is_decoded():
    kind, text = readable(framed(Encoder("touchpoints")(touchpoint(1))))
    assert (kind, json.loads(text)["customer_id"]) == ("avro", "ann")
    kind, text = readable(framed(Encoder("rejected")(rejected(1)), topic="rejected"))
    assert kind == "avro"
    assert json.loads(text)["original"] == repr(rejected(1)["original"])


def test_other_bytes_are_dumped_up_to_a_bound():
    kind, text = readable(framed(b"no framing \x00\xff" + bytes(5000)))
    assert kind == "bytes"
    assert text.splitlines()[0].startswith("00000000  6e 6f 20 66")
    assert text.splitlines()[0].endswith("no framing .....")
    assert len(text.splitlines()) == DUMPED_BYTES // 16 + 1
    assert text.endswith("and 3,989 more bytes")
    assert hex_dump(b"") == ""


@given(st.binary(), st.sampled_from([None, "touchpoints", "journeys", "rejected", "unheard of"]))
def test_any_bytes_can_be_shown(raw: bytes, topic: str | None):
    letter = framed(raw, topic=topic or "touchpoints")
    kind, text = readable(letter if topic else event(None, original=raw))
    assert kind in {"json", "avro", "bytes"}
    assert printable(text) == text
    text.encode()


def test_what_cannot_be_written_as_json_is_dumped():
    for original in (b"9" * 5000, b'{"a":' * 900 + b"1" + b"}" * 900):
        assert readable(event(None, original=original)).kind in {"json", "bytes"}
