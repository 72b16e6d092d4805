"""An import that is interrupted goes on where it was acknowledged, and begins anew where that is not certain."""

from __future__ import annotations

import tempfile
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.backfill_import import Import
from pipeline.backfill_journal import Journal
from pipeline.backfill_readers import read
from pipeline.backfill_sort import Sorter
from pipeline.errors import UnavailableError
from pipeline.lanes import Message
from schemas.codec import Decoder
from tests.unit.test_backfill import GOOD, NOW, written

LINES = 6_000


class Failing:
    """A publisher that acknowledges so many touchpoints, and then is away."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.ids: list[str] = []

    async def publish(self, topic: str, messages: list[Message]) -> None:
        if topic != "touchpoints":
            return
        if len(self.ids) + len(messages) > self.most:
            raise UnavailableError("away")
        decode = Decoder(topic)
        self.ids += [decode(value)["event_id"] for _, value in messages]


class Run:
    """One run of an import, up to where the publisher fails."""

    def __init__(self, file: Path, folder: Path, most: int = LINES, epoch: str = "1", now: int = NOW) -> None:
        self.file, self.epoch, self.now = file, epoch, now
        self.said: list[str] = []
        self.journal = Journal(folder, self.said.append)
        self.log = Failing(most)

    async def __call__(self) -> int:
        with self.file.open("rb") as raw, Sorter(10**6) as sorter:
            work = Import(self.log, sorter, "import", self.now)
            await work.read(read(self.file, raw), raw.tell, 1, lambda *_: None)
            self.journal.open("import", self.epoch, self.now)
            work.resume(self.journal)
            try:
                await work.send(1, lambda *_: None)
            except UnavailableError:
                return -1
        return work.result().resumed


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Lines of which some are identical, and so get their ids from their ordinals."""
    return written(tmp_path / "a.jsonl", *({**GOOD, "value": number // 3} for number in range(LINES)))


async def test_the_same_import_goes_on_and_sends_each_line_once(file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "journal"
    first, second, third = Run(file, folder, 5_000), Run(file, folder, now=NOW + 1), Run(file, folder)
    assert await first() == -1
    assert len(first.log.ids) == 4_000
    assert await second() == 4_000
    whole = Run(file, tmp_path / "other")
    assert await whole() == 0
    assert first.log.ids + second.log.ids == whole.log.ids
    assert second.journal.moments == [NOW, NOW + 1]
    assert await third() == LINES
    assert third.log.ids == []
    third.journal.close()
    assert not folder.exists()


async def test_another_log_gets_everything(file: Path, tmp_path: Path) -> None:
    assert await Run(file, tmp_path / "journal", 5_000)() == -1
    again = Run(file, tmp_path / "journal", epoch="2", now=NOW + 1)
    assert await again() == 0
    assert (len(again.log.ids), again.journal.moments) == (LINES, [NOW + 1])


async def test_another_order_of_lines_gets_everything(file: Path, tmp_path: Path) -> None:
    """As when a newer version accepts a line that was refused before."""
    assert await Run(file, tmp_path / "journal", 5_000)() == -1
    others = ({**GOOD, "value": number // 3} for number in range(100, LINES))
    written(file, *[{**GOOD, "value": "no number"}] * 100, *others)
    again = Run(file, tmp_path / "journal")
    assert await again() == 0
    assert len(again.log.ids) == LINES - 100


@pytest.mark.parametrize("content", [b"", b"{}", b'{"epoch":"1","sent":4000,"digest":"","moments":[]}', b"\xff"])
async def test_a_damaged_journal_is_no_journal(file: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "import.json").write_bytes(content)
    assert await Run(file, tmp_path)() == 0


async def test_a_folder_that_cannot_be_written_is_said_once(file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    run = Run(file, tmp_path / "taken" / "journal")
    assert await run() == 0
    assert len(run.said) == 1
    assert "begin anew" in run.said[0]
    run.journal.close()


@given(
    st.lists(st.integers(0, 50), unique=True, max_size=40),
    st.lists(st.integers(1, 9), max_size=6),
    st.lists(st.integers(0, 50), unique=True, max_size=40),
)
def test_lines_are_passed_over_only_where_just_these_were_acknowledged(
    lines: list[int], chunks: list[int], others: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = Journal(Path(folder), lambda _: None)
        first.open("import", "1", NOW)
        acknowledged = 0
        for size in chunks:
            chunk = lines[acknowledged : acknowledged + size]
            first.acknowledged(array("q", chunk))
            acknowledged += len(chunk)
        for given_now in (lines, others, lines[:-1], lines[::-1]):
            again = Journal(Path(folder), lambda _: None)
            again.open("import", "1", NOW)
            same = given_now[:acknowledged] == lines[:acknowledged]
            assert again.resume(given_now) == (acknowledged if same else 0)
