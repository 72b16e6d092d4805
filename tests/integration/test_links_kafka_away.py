"""Short links while Kafka is away: people are redirected, and their clicks are kept, or counted as lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.integration.collector_process import Broker, collector, suspend
from tests.integration.test_collector_faults import until_refused
from tests.integration.test_links import LINKS, clicks, counted, follow, fresh, until_counted

WAITING = "touchline_links_waiting"
LOST = 'touchline_links_lost_total{{reason="{}"}}'


@pytest.fixture
def kafka(kafka: Broker) -> Iterator[Broker]:
    """The session's, which goes on afterwards whatever became of a test that suspends it."""
    yield kafka
    kafka.child.signal(signal.SIGCONT)


@pytest.fixture
def links(tmp_path: Path) -> str:
    path = tmp_path / "links.toml"
    path.write_text(LINKS)
    return str(path)


async def test_a_person_is_redirected_and_the_click_is_kept(kafka: Broker, links: str, tmp_path: Path) -> None:
    given = fresh()
    settings = {"links": links, "link_wait_ms": "50", "ack_timeout_seconds": "1"}
    async with collector(kafka.url, tmp_path / "collector", **settings) as running:
        assert (await follow(running, "/l/spring", cookie=f"tl_id={given}")).status_code == 302
        await until_counted(running, WAITING, lambda waiting: waiting == 0)
        late = await counted(running, "touchline_links_late_total")
        await suspend(kafka)
        for _ in range(3):
            assert (await follow(running, "/l/spring", cookie=f"tl_id={given}")).status_code == 302
        assert await counted(running, WAITING) == 3
        assert await counted(running, "touchline_links_late_total") == late + 3
        await until_not_ready(running.url)
        kafka.child.signal(signal.SIGCONT)
        await until_counted(running, WAITING, lambda waiting: waiting == 0)
        for reason in ("full", "gave_up", "stopped", "failed"):
            assert await counted(running, LOST.format(reason)) == 0
    assert len({each["event_id"] for each in await clicks(kafka, given)}) == 4


async def until_not_ready(url: str) -> None:
    """Wait until a publish has been given up and is being tried again."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while "did not acknowledge" not in (await client.get(f"{url}/readyz")).text:
            pass


async def test_what_is_given_up_is_counted(links: str, tmp_path: Path) -> None:
    settings = {"links": links, "link_wait_ms": "0", "link_keep_seconds": "0.2"}
    async with collector("127.0.0.1:1", tmp_path, **settings) as running:
        assert (await follow(running, "/l/spring")).status_code == 302
        await until_counted(running, LOST.format("gave_up"), lambda lost: lost == 1)


async def test_stopping_waits_for_kafka(kafka: Broker, links: str, tmp_path: Path) -> None:
    given = fresh()
    settings = {"links": links, "link_wait_ms": "0", "ack_timeout_seconds": "30"}
    async with collector(kafka.url, tmp_path / "collector", **settings) as running:
        assert (await follow(running, "/l/spring")).status_code == 302
        await suspend(kafka)
        assert (await follow(running, "/l/spring", cookie=f"tl_id={given}")).status_code == 302
        running.child.signal(signal.SIGTERM)
        await until_refused(running.url)
        kafka.child.signal(signal.SIGCONT)
        assert await running.child.wait(40) == 0
        assert "links lost" not in running.child.log.read_text()
    assert len(await clicks(kafka, given)) == 1


async def test_stopping_says_what_is_lost(links: str, tmp_path: Path) -> None:
    settings = {"links": links, "link_wait_ms": "0", "ack_timeout_seconds": "0.5"}
    async with collector("127.0.0.1:1", tmp_path, **settings) as running:
        assert (await follow(running, "/l/spring")).status_code == 302
        running.child.signal(signal.SIGTERM)
        assert await running.child.wait(20) == 0
        assert "before the end: 1" in running.child.log.read_text()
