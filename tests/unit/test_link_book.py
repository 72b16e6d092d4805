"""The registry file while the collector runs: changes are taken in, mistakes are not."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.collector.links.book import Book
from pipeline.errors import ConfigurationError

SPRING = '[links.spring]\ntarget = "https://shop.example/spring"\n'
SUMMER = '[links.summer]\ntarget = "https://shop.example/summer"\n'


async def until(book: Book, condition: Callable[[], bool]) -> None:
    """Ask for the links until the condition holds; asking is what makes the book look at its file."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        await book.current()
        await asyncio.sleep(0.02)


async def test_a_change_is_taken_in_and_a_mistake_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, failures = tmp_path / "links.toml", []
    path.write_text(SPRING)
    book = Book(path, lambda: failures.append(1))
    assert set(await book.current()) == {"spring"}
    path.write_text(SPRING + SUMMER)
    await until(book, lambda: len(book) == 2)
    with caplog.at_level(logging.ERROR):
        path.write_text(SPRING + SUMMER + "[links.autumn]\ntarget = 3\n")
        await until(book, lambda: len(failures) == 1)
        path.unlink()
        await until(book, lambda: len(failures) == 2)
    assert set(await book.current()) == {"spring", "summer"}
    assert "links.autumn.target" in caplog.text and "cannot be read" in caplog.text
    path.write_text(SUMMER)
    await until(book, lambda: len(book) == 1)
    assert set(await book.current()) == {"summer"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "there are no links"),
        (b"\xff", "UTF-8"),
        (b"[links.a]\nkind='y'", "links.a.*1 more"),
        (None, "read"),
    ],
)
def test_at_the_start_it_must_be_right(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "links.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"TOUCHLINE_LINKS.*({says})"):
        Book(path, lambda: None)
