"""What schema ids mean: local ones with a folder that may grow, and those of a registry."""

from __future__ import annotations

import copy
from collections import Counter

import pytest

from pipeline.errors import UnavailableError
from schemas.codec import Decoder, Encoder, UndecodableError, UnmetSchemaError, header
from schemas.contracts import SUBJECTS, Avro, latest
from schemas.ids import LOCAL, LocalIds
from schemas.registered import ABSENT_SECONDS, RegisteredIds
from tests.evolution import Writer, add_version, evolved, without
from tests.reference import START, touchpoint

RISK = {
    "customer_id": "ann",
    "revision": 5,
    "as_of": START,
    "score": 61.5,
    "level": "high",
    "previous_level": None,
    "action": "call_back",
    "model_version": "1",
    "event_id": "00000000-0000-0000-0000-000000000001",
    "imported": False,
    "evidence": [],
    "channels": [],
    "segment": None,
    "value": None,
}
WHOLE = touchpoint(1, value=1.5, attributes={"page": "/"}, import_id="i")


def refused(decode: Decoder, value: bytes, why: str) -> None:
    with pytest.raises(UndecodableError, match=why) as caught:
        decode(value)
    assert caught.value.code == "schema_id"


def test_a_newer_local_version_is_read_once_its_file_is_there(tmp_path):
    decode = Decoder("touchpoints", LocalIds(tmp_path))
    value = Writer(evolved(), 1_002)({**WHOLE, "mood": "grim"})
    refused(decode, value, r"1002 \(touchpoints v2\) is newer than this worker")
    add_version(tmp_path, evolved())
    assert decode(value) == WHOLE
    (tmp_path / "touchpoints" / "v2.avsc").unlink()
    assert decode(value) == WHOLE


def test_a_folder_may_hold_nonsense(tmp_path):
    decode = Decoder("touchpoints", LocalIds(tmp_path))
    value = Writer(evolved(), 1_002)(WHOLE)
    add_version(tmp_path, latest("journeys").schema)
    refused(decode, value, "cannot be read as touchpoints v1: the whole is .*Journey")
    (tmp_path / "touchpoints" / "v2.avsc").write_text("{")
    refused(decode, value, "1002")


def test_a_folder_does_not_change_what_the_kept_versions_mean(tmp_path):
    add_version(tmp_path, evolved(), version=1)
    assert Decoder("touchpoints", LocalIds(tmp_path))(Encoder("touchpoints")(WHOLE)) == WHOLE


@pytest.mark.parametrize("schema_id", [0, 1, 1_000, 2_001, 2_002, 7_001, 2**32 - 1])
def test_what_is_no_version_of_the_subject_is_refused(schema_id):
    refused(Decoder("touchpoints"), header(schema_id) + b"x", f"{schema_id} is not one of touchpoints")


class Shelf:
    """Schemas by id, counting who asks; out of reach when told."""

    def __init__(self, schemas: dict[int, Avro]) -> None:
        self.schemas = schemas
        self.asked: Counter[int] = Counter()
        self.away = False

    async def schema(self, schema_id: int) -> Avro | None:
        self.asked[schema_id] += 1
        if self.away:
            raise UnavailableError("away")
        return self.schemas.get(schema_id)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


OWN = {subject: 50 + number for number, subject in enumerate(SUBJECTS)}


def test_what_is_written_has_the_registered_id_and_is_read_without_asking():
    shelf = Shelf({})
    ids = RegisteredIds(shelf, OWN)
    value = Encoder("touchpoints", ids)(WHOLE)
    assert value[:5] == header(50)
    assert value[5:] == Encoder("touchpoints")(WHOLE)[5:]
    assert Decoder("touchpoints", ids)(value) == WHOLE
    assert not shelf.asked


async def test_an_id_is_asked_for_once_and_then_known():
    shelf = Shelf({7: evolved()})
    ids = RegisteredIds(shelf, OWN)
    decode, value = Decoder("touchpoints", ids), Writer(evolved(), 7)({**WHOLE, "mood": "grim"})
    with pytest.raises(UnmetSchemaError):
        decode(value)
    await ids.meet("touchpoints", [value, value, None, b"", b"junk"])
    assert decode(value) == WHOLE
    await ids.meet("touchpoints", [value])
    assert shelf.asked == {7: 1}


async def test_an_older_version_takes_the_defaults_of_fields_it_lacks():
    older = without("import_id", "attributes")
    ids = RegisteredIds(Shelf({7: older}), OWN)
    value = Writer(older, 7)(WHOLE)
    await ids.meet("touchpoints", [value])
    assert Decoder("touchpoints", ids)(value) == {**WHOLE, "import_id": None, "attributes": {}}


async def test_a_field_added_deep_inside_is_dropped_too():
    schema = copy.deepcopy(latest("risk").schema)
    (reasons,) = [each for each in schema["fields"] if each["name"] == "reasons"]
    weight = {"name": "weight", "type": "double", "default": 0.0}
    reasons["type"]["items"]["fields"].insert(0, weight)
    ids = RegisteredIds(Shelf({7: schema}), OWN)
    reason = {"code": "silence", "points": 5.0, "text": "silent"}
    value = Writer(schema, 7)({**RISK, "reasons": [{**reason, "weight": 2.0}]})
    await ids.meet("risk", [value])
    assert Decoder("risk", ids)(value) == {**RISK, "reasons": [reason], "lasting": True}


async def test_what_the_registry_does_not_have_is_refused_for_a_while_and_then_asked_again():
    shelf, clock = Shelf({}), Clock()
    ids = RegisteredIds(shelf, OWN, clock)
    decode, value = Decoder("touchpoints", ids), Writer(evolved(), 7)(WHOLE)
    await ids.meet("touchpoints", [value])
    refused(decode, value, "7 is not in the registry")
    clock.now += ABSENT_SECONDS / 3
    await ids.meet("touchpoints", [value])
    assert shelf.asked == {7: 1}
    shelf.schemas[7] = evolved()
    clock.now += ABSENT_SECONDS
    with pytest.raises(UnmetSchemaError):
        decode(value)
    await ids.meet("touchpoints", [value])
    assert decode(value) == WHOLE


async def test_what_was_met_stays_known_long_enough_to_be_used():
    """An absent id is asked for again before it is forgotten, so that it is never forgotten between meeting and use."""
    shelf, clock = Shelf({}), Clock()
    ids = RegisteredIds(shelf, OWN, clock)
    await ids.meet("touchpoints", [header(7)])
    clock.now += ABSENT_SECONDS * 0.9
    await ids.meet("touchpoints", [header(7)])
    clock.now += ABSENT_SECONDS * 0.4
    refused(Decoder("touchpoints", ids), header(7), "7 is not in the registry")
    assert shelf.asked == {7: 2}


async def test_out_of_reach_is_not_absent():
    shelf = Shelf({7: evolved()})
    ids = RegisteredIds(shelf, OWN)
    decode, value = Decoder("touchpoints", ids), Writer(evolved(), 7)(WHOLE)
    shelf.away = True
    with pytest.raises(UnavailableError):
        await ids.meet("touchpoints", [value])
    with pytest.raises(UnmetSchemaError):
        decode(value)
    shelf.away = False
    await ids.meet("touchpoints", [value])
    assert decode(value) == WHOLE


async def test_a_schema_of_another_subject_is_refused_here_and_read_there():
    ids = RegisteredIds(Shelf({7: latest("journeys").schema}), OWN)
    await ids.meet("touchpoints", [header(7)])
    await ids.meet("journeys", [header(7)])
    refused(Decoder("touchpoints", ids), header(7) + b"x", "7: its schema cannot be read as touchpoints v1: the whole")
    assert ids.reading("journeys", 7).contract == latest("journeys")


async def test_local_ids_of_the_time_before_the_registry_keep_their_meaning():
    ids = RegisteredIds(Shelf({}), OWN)
    value = Encoder("touchpoints", LOCAL)(WHOLE)
    await ids.meet("touchpoints", [value])
    assert Decoder("touchpoints", ids)(value) == WHOLE


async def test_many_unknown_ids_are_all_settled_by_one_meeting():
    shelf = Shelf({})
    ids = RegisteredIds(shelf, OWN)
    values = [header(schema_id) for schema_id in range(2_000, 2_100)]
    await ids.meet("alerts", values)
    assert len(shelf.asked) == 100
    for value in values:
        refused(Decoder("alerts", ids), value, "not in the registry")
