"""Every way in protects personal data, by the same rules, before anything reaches Kafka."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from prometheus_client import generate_latest

from pipeline.backfill import Import, import_id_of
from pipeline.backfill_readers import read
from pipeline.backfill_sort import Sorter
from pipeline.collector.gate import Gate
from pipeline.collector.intake import Intake
from pipeline.collector.metrics import Metrics
from pipeline.collector.pieces import Piece
from pipeline.identity_hash import email_id
from pipeline.letters import Letter, Ready, Replaying
from pipeline.model import FieldError, LogPosition, Rejected, dead_letter
from pipeline.privacy import Privacy
from pipeline.privacy_rules import actions_of
from schemas.codec import Decoder, Encoder
from tests.command import touchline
from tests.reference import touchpoint
from tests.unit.test_backfill import Log

NOW = 1_772_366_400_000
CARD = "4111 1111 1111 1111"
GIVEN: dict[str, Any] = {
    "customer_id": "c-1",
    "occurred_at": "2026-03-01T12:00:00Z",
    "channel": "web",
    "touchpoint": "page_view",
    "reference": CARD,
    "attributes": {"note": f"ada@example.com {CARD}"},
}
RAW = json.dumps(GIVEN).encode()
WHY = (FieldError("unknown_channel", "channel", "unknown channel"),)
HASHING = Privacy(actions_of("hash"), "key")
HASHED = {"note": f"{email_id('ada@example.com', 'key')} [card]"}
decode = Decoder("touchpoints")


def test_the_collector_counts_what_it_masks() -> None:
    intake = Intake()
    taken = intake.take([Piece(0, RAW), Piece(1, RAW)], NOW, "http")
    records = [decode(value) for _, value in taken.accepted]
    assert [(record["reference"], record["attributes"]) for record in records] == [
        ("[card]", {"note": "[email] [card]"})
    ] * 2
    assert taken.masked == {"card": 4, "email": 2}
    metrics = Metrics(Gate(), lambda: 0.0)
    metrics.masked(taken.masked)
    shown = generate_latest(metrics.registry).decode()
    assert 'touchline_personal_data_masked_total{kind="card"} 4.0' in shown
    assert 'touchline_personal_data_masked_total{kind="email"} 2.0' in shown


def test_a_dead_letter_keeps_what_came_in() -> None:
    raw = RAW.replace(b"page_view", b"page-view")
    intake = Intake()
    taken = intake.take([Piece(0, raw)], NOW, "http")
    [(_, letter)] = intake.dead_letters(taken.refused, NOW, "http")
    assert Decoder("rejected")(letter)["original"] == raw
    assert not taken.masked


async def test_an_import_protects_and_keeps_its_ids(tmp_path: Path) -> None:
    file, ids = tmp_path / "a.jsonl", []
    file.write_bytes(RAW + b"\n")
    for privacy in (HASHING, Privacy()):
        result, record = await imported(file, privacy)
        ids.append(record["event_id"])
        assert result == {"card": 2, "email": 1}
        assert record["reference"] == "[card]"
        assert record["attributes"] == (HASHED if privacy is HASHING else {"note": "[email] [card]"})
    assert len(set(ids)) == 1


async def imported(file: Path, privacy: Privacy) -> tuple[dict[str, int], dict[str, Any]]:
    log = Log()
    with file.open("rb") as raw, Sorter() as sorter:
        work = Import(log, sorter, import_id_of(raw), NOW, privacy=privacy)
        raw.seek(0)
        await work.read(read(file, raw), raw.tell, len(RAW), lambda done, total: None)
        await work.send(len(RAW), lambda done, total: None)
    [record] = log.read("touchpoints")
    return work.result().masked, record


def replayed(original: bytes, position: LogPosition | None = None) -> dict[str, Any]:
    row = {**dead_letter(Rejected(WHY, original), "http", NOW, position), "replayed_at": None, "ordinal": 0}
    ready = Replaying(privacy=HASHING)(Letter(**{name: row[name] for name in Letter.__dataclass_fields__}), NOW)
    assert isinstance(ready, Ready), ready
    assert decode(ready.value) == ready.record
    return ready.record


def test_a_replay_protects_an_event_and_a_record() -> None:
    assert replayed(RAW)["attributes"] == HASHED
    record = {**touchpoint(1), "attributes": GIVEN["attributes"]}
    framed = replayed(Encoder("touchpoints")(record), LogPosition("touchpoints", 7, 1, 5))
    assert framed["attributes"] == HASHED


async def test_the_key_of_the_hashes_is_not_shown() -> None:
    shown = await touchline("config", TOUCHLINE_IDENTITY_KEY="nobody-knows")
    assert shown.status == 0
    assert "nobody-knows" not in shown.output


async def test_a_rule_that_cannot_be_stops_a_command_in_one_line() -> None:
    shown = await touchline("config", TOUCHLINE_PERSONAL_DATA="card=keep")
    assert shown.status == 2
    assert "TOUCHLINE_PERSONAL_DATA: 'card=keep' is neither" in shown.errors
    assert "Traceback" not in shown.errors
