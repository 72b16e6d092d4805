"""Following a link where there is no room to wait for Kafka."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import httpx
from fastapi import FastAPI

from pipeline.collector.gate import Gate
from pipeline.collector.intake import Intake
from pipeline.collector.links.mount import Parts, mount
from pipeline.collector.metrics import Metrics
from pipeline.lanes import Message
from pipeline.settings import Settings


class Held:
    """A publisher that acknowledges when it is let."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.had: list[Message] = []

    async def publish(self, topic: str, messages: Iterable[Message]) -> None:
        await self.may.wait()
        self.had.extend(messages)


async def test_a_full_gate_redirects_at_once_and_loses_no_click(tmp_path: Path) -> None:
    path = tmp_path / "links.toml"
    path.write_text('[links.spring]\ntarget = "https://shop.example/spring"')
    publisher, gate, app = Held(), Gate(most_requests=0), FastAPI()
    metrics = Metrics(gate, lambda: 0.0)
    settings = Settings(links=path, link_wait_ms=10**9)
    clicks = mount(app, settings, Parts(publisher, gate, metrics, Intake()))  # type: ignore[arg-type]
    assert clicks is not None
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://go.example") as client:
        assert (await client.get("/l/spring")).status_code == 302
    value = metrics.registry.get_sample_value
    assert (value("touchline_links_late_total"), value("touchline_links_waiting")) == (1, 1)
    publisher.may.set()
    await clicks.finish(60)
    assert len(publisher.had) == 1
    assert value("touchline_events_accepted_total", {"channel": "link"}) == 1
    assert value("touchline_links_lost_total", {"reason": "full"}) == 0
