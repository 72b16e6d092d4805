"""Replaying anything never raises, and never doubles: whatever is sent, crashes and repeats included, counts once."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.backfill import Import, import_id_of
from pipeline.backfill_readers import read
from pipeline.backfill_sort import Sorter
from pipeline.lanes import Message
from pipeline.letters import Letter, Ready, Replayed, Replaying
from pipeline.model import FieldError, LogPosition, Rejected
from pipeline.replay import Replay, ReplayResult
from pipeline.validation import FIELDS, original_of
from schemas.codec import Decoder, Encoder
from schemas.contracts import SUBJECTS
from tests.property.test_validation_properties import anything, good
from tests.reference import touchpoint
from tests.unit.test_letters import NOW, WHY, letter

AHEAD = 30 * 3_600_000
DECODE = Decoder("touchpoints")
codes = st.sampled_from(["refused", "body", "contract", "unknown_channel", "x"])
originals = st.one_of(
    st.binary(),
    st.builds(original_of, anything | st.dictionaries(st.sampled_from(FIELDS), anything) | good),
    st.builds(
        lambda fields, cut: Encoder("touchpoints")(touchpoint(1, **fields))[cut:],
        st.fixed_dictionaries(
            {},
            optional={
                "event_id": st.text(max_size=40),
                "customer_id": st.text(max_size=300),
                "occurred_at": st.integers(-(2**63), 2**63 - 1),
                "received_at": st.integers(-(2**63), 2**63 - 1),
                "value": st.floats() | st.none(),
                "rating_metric": st.sampled_from(["nps", "x"]),
            },
        ),
        st.integers(0, 6),
    ),
)


@given(
    originals,
    codes,
    st.none() | st.text(max_size=50) | st.uuids().map(str),
    st.sampled_from([None, *SUBJECTS, "unheard of"]),
    st.booleans(),
)
def test_any_letter_is_sent_whole_or_stays(
    original: bytes, code: str, event_id: str | None, topic: str | None, imported: bool
) -> None:
    position = topic and LogPosition(topic, 7, 1, 5)
    refused = Rejected((replace(WHY[0], code=code),), original, event_id, "import" if imported else None)
    given_letter = letter(refused, "http", position or None)
    first, again = Replaying()(given_letter, NOW), Replaying()(given_letter, NOW + 1)
    if isinstance(first, FieldError):
        assert first.code and first.message
        return
    assert isinstance(again, Ready)
    assert (first.key, first.record["event_id"]) == (again.key, again.record["event_id"])
    assert DECODE(first.value) == first.record


@dataclass
class World:
    """A log of touchpoints and the marks of a store, which fail as often as they are told to."""

    letters: list[Letter]
    chance: random.Random
    failing: float = 0.0
    log: list[Message] = field(default_factory=list)
    marked: dict[str, str] = field(default_factory=dict)

    async def publish(self, topic: str, messages: list[Message]) -> None:
        self.log += messages[: self.chance.randint(0, len(messages))] if self._fails() else messages

    async def mark(self, replayed: Sequence[Replayed]) -> None:
        if not self._fails():
            self.marked.update(replayed)

    def _fails(self) -> bool:
        if self.chance.random() < self.failing:
            self.crashed = True
        return self.crashed

    async def pages(self) -> AsyncIterator[list[Letter]]:
        left = [each for each in self.letters if each.dead_letter_id not in self.marked]
        for start in range(0, len(left), 3):
            yield left[start : start + 3]

    async def replay(self) -> ReplayResult:
        """One run; after its crash nothing it does has an effect, as if it had been killed there."""
        self.crashed = False
        with Sorter() as sorter:
            work = Replay(sorter, NOW + AHEAD)
            await work.read(self.pages())
            await work.send(self, self)
        return work.result()

    def touchpoints(self) -> set[tuple[bytes | None, str]]:
        """What counts: one per customer and event_id."""
        return {(key, DECODE(value)["event_id"]) for key, value in self.log}


@given(st.lists(good | anything, max_size=12), st.integers(0, 2**32), st.floats(0, 0.9))
def test_replays_that_crash_and_are_repeated_count_once(events: list[Any], seed: int, failing: float) -> None:
    letters = [letter(Rejected(WHY, original_of(event)), "http") for event in events]
    world = World(letters, random.Random(seed), failing)
    for _ in range(4):
        asyncio.run(world.replay())
    world.failing = 0.0
    last = asyncio.run(world.replay())
    assert last.sent == last.accepted
    undisturbed = World(letters, random.Random(seed))
    asyncio.run(undisturbed.replay())
    assert world.touchpoints() == undisturbed.touchpoints()
    assert world.marked == undisturbed.marked
    assert asyncio.run(world.replay()).sent == 0
    times = [DECODE(value)["occurred_at"] for _, value in undisturbed.log]
    assert times == sorted(times)


class Lines:
    """What an import publishes."""

    def __init__(self) -> None:
        self.topics: dict[str, list[bytes]] = {"touchpoints": [], "rejected": []}

    async def publish(self, topic: str, messages: list[Message]) -> None:
        self.topics[topic] += [value for _, value in messages]


async def imported(file: Path, now: int) -> Lines:
    log = Lines()
    with file.open("rb") as raw, Sorter() as sorter:
        work = Import(log, sorter, import_id_of(raw), now)
        raw.seek(0)
        await work.read(read(file, raw), raw.tell, 1, lambda *_: None)
        await work.send(1, lambda *_: None)
    return log


@given(st.lists(good, min_size=1, max_size=4), st.lists(st.integers(0, 3), max_size=6))
def test_replayed_lines_have_the_ids_that_the_file_gives_when_it_is_imported_again(
    events: list[dict[str, Any]], twins: list[int]
) -> None:
    """Identical lines among them, also in another spelling."""
    ahead = [{**event, "occurred_at": "2026-03-02T18:00:00Z"} for event in events]
    lines = ahead + [dict(reversed(ahead[index % len(ahead)].items())) for index in twins]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lines.jsonl"
        file.write_text("".join(json.dumps(line) + "\n" for line in lines))
        refused = asyncio.run(imported(file, NOW)).topics["rejected"]
        expected = asyncio.run(imported(file, NOW + AHEAD)).topics["touchpoints"]
    decode, seen = Decoder("rejected"), dict[str, int]()
    replayed = []
    for row in map(decode, refused):
        content = row["event_id"] or row["original_sha256"]
        seen[content] = seen.get(content, -1) + 1
        again = letter(
            Rejected(WHY, row["original"], row["event_id"], row["import_id"], row["line"]),
            "backfill",
            ordinal=seen[content],
        )
        ready = Replaying()(again, NOW + AHEAD)
        assert isinstance(ready, Ready)
        replayed.append(ready.record)
    assert len(replayed) == len(lines)
    assert sorted(map(str, replayed)) == sorted(str(DECODE(value)) for value in expected)
