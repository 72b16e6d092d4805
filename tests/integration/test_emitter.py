"""The emitters against a real collector, also one that dies and comes back while events are emitted."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.emitter import BufferFullError, Emitter, Options, Rejection, SyncEmitter
from pipeline.local.server import free_port
from tests.integration.collector_process import KEY, Broker, Running, collector, held, suspend, until


@pytest.fixture(scope="module")
async def running(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with collector(kafka.url, tmp_path_factory.mktemp("collector")) as started:
        yield started


async def ids(kafka: Broker, customer: str) -> list[str]:
    return [each["event_id"] for each in await held(kafka.url, "touchpoints") if each["__key"] == customer]


async def test_all_arrives_and_close_flushes(kafka: Broker, running: Running) -> None:
    customer = f"c-{uuid.uuid4()}"
    async with Emitter(running.url, KEY, options=Options(linger_seconds=60)) as emitter:
        sent = [
            await emitter.emit(channel="web", touchpoint="page_view", customer_id=customer, duration_ms=number)
            for number in range(1234)
        ]
    assert (emitter.stats.accepted, emitter.stats.buffered, emitter.stats.undelivered) == (1234, 0, 0)
    assert sorted(await ids(kafka, customer)) == sorted(sent)
    with pytest.raises(RuntimeError, match="closed"):
        await emitter.emit(channel="web", touchpoint="page_view", customer_id=customer)


async def test_the_source_is_emitter_and_times_are_exact(kafka: Broker, running: Running) -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 123_000, tzinfo=UTC)
    async with Emitter(running.url, KEY) as emitter:
        sent = await emitter.emit(channel="web", touchpoint="search", anonymous_id="d-1", occurred_at=moment)
        assert await emitter.flush(30)
    (record,) = [each for each in await held(kafka.url, "touchpoints") if each["event_id"] == sent]
    assert (record["source"], record["__key"]) == ("emitter", "anon:d-1")
    assert record["occurred_at"] == int(moment.timestamp() * 1000)


async def test_refused_events_are_handed_back(running: Running) -> None:
    refused: list[Rejection] = []
    async with Emitter(running.url, KEY, on_rejected=refused.append) as emitter:
        bad = await emitter.emit(channel="wbe", touchpoint="page_view", customer_id="c-1")
        await emitter.emit(channel="web", touchpoint="page_view", customer_id="c-1")
    assert [(each.event_id, each.problems[0].code) for each in refused] == [(bad, "unknown_channel")]
    assert refused[0].event["channel"] == "wbe"
    assert (emitter.stats.accepted, emitter.stats.rejected, emitter.stats.retries) == (1, 1, 0)


async def test_a_wrong_key_is_not_tried_again(running: Running) -> None:
    refused: list[Rejection] = []
    async with Emitter(running.url, "wk_wrong", on_rejected=refused.append) as emitter:
        await emitter.emit(channel="web", touchpoint="page_view", customer_id="c-1")
    assert refused[0].problems[0].code == "key_unknown"
    assert (emitter.stats.requests, emitter.stats.rejected) == (1, 1)


async def test_a_batch_refused_for_its_size_is_split(kafka: Broker, running: Running) -> None:
    customer = f"c-{uuid.uuid4()}"
    async with Emitter(running.url, KEY, options=Options(batch_events=2500, linger_seconds=60)) as emitter:
        for _ in range(2500):
            await emitter.emit(channel="web", touchpoint="page_view", customer_id=customer)
    assert (emitter.stats.accepted, emitter.stats.requests) == (2500, 7)
    assert len(set(await ids(kafka, customer))) == 2500


async def test_nothing_is_lost_when_the_collector_dies(kafka: Broker, tmp_path: Path) -> None:
    customer, port = f"c-{uuid.uuid4()}", str(free_port())
    options = Options(batch_events=20, first_delay_seconds=0.02, longest_delay_seconds=0.2)
    async with Emitter(f"http://127.0.0.1:{port}", KEY, options=options) as emitter:
        sent: list[str] = []

        async def emit(count: int) -> None:
            for _ in range(count):
                sent.append(await emitter.emit(channel="web", touchpoint="page_view", customer_id=customer))

        await emit(100)
        for _ in range(3):
            async with collector(kafka.url, tmp_path, collector_port=port) as alive:
                emitting = asyncio.create_task(emit(500))
                before = emitter.stats.accepted
                await until(lambda before=before: emitter.stats.accepted > before)
                alive.child.kill()
                await emitting
        async with collector(kafka.url, tmp_path, collector_port=port):
            assert await emitter.flush(60)
    assert len(sent) == 1600
    assert set(await ids(kafka, customer)) == set(sent)
    assert emitter.stats.retries > 0
    assert (emitter.stats.accepted, emitter.stats.rejected) == (1600, 0)


async def test_a_full_buffer_says_so() -> None:
    options = Options(buffer_events=3, close_seconds=0.1)
    nowhere = f"http://127.0.0.1:{free_port()}"
    for when_full, error in (("raise", BufferFullError), ("drop", None)):
        emitter = Emitter(nowhere, KEY, when_full=when_full, options=options)  # type: ignore[arg-type]
        try:
            for _ in range(3):
                await emitter.emit(channel="web", touchpoint="page_view", customer_id="c")
            if error is None:
                await emitter.emit(channel="web", touchpoint="page_view", customer_id="c")
                assert emitter.stats.dropped == 1
            else:
                with pytest.raises(error):
                    await emitter.emit(channel="web", touchpoint="page_view", customer_id="c")
        finally:
            assert not await emitter.close()
        assert emitter.stats.undelivered == 3


async def test_what_can_never_be_sent_is_said_at_once() -> None:
    async with Emitter("http://127.0.0.1:1", KEY) as emitter:
        with pytest.raises(ValueError, match="time zone"):
            await emitter.emit(
                channel="web",
                touchpoint="x",
                customer_id="c",
                occurred_at=datetime(2026, 1, 1),  # noqa: DTZ001
            )
        with pytest.raises(ValueError, match="anonymous_id"):
            await emitter.emit(channel="web", touchpoint="page_view")
        with pytest.raises(ValueError, match="JSON"):
            await emitter.emit(channel="web", touchpoint="page_view", customer_id="c", value=float("nan"))
        with pytest.raises(ValueError, match="bytes"):
            await emitter.emit(channel="web", touchpoint="page_view", customer_id="c", reference="r" * 70_000)
    with pytest.raises(ValueError, match="address"):
        Emitter("127.0.0.1:8480", KEY)


async def test_the_synchronous_one(kafka: Broker, running: Running) -> None:
    customer = f"c-{uuid.uuid4()}"

    def work() -> tuple[list[str], SyncEmitter]:
        with SyncEmitter(running.url, KEY) as emitter:
            sent = [emitter.emit(channel="web", touchpoint="page_view", customer_id=customer) for _ in range(900)]
            assert emitter.flush(30)
            sent.append(emitter.emit(channel="web", touchpoint="page_view", customer_id=customer))
        return sent, emitter

    sent, emitter = await asyncio.to_thread(work)
    assert sorted(await ids(kafka, customer)) == sorted(sent)
    assert (emitter.stats.accepted, emitter.stats.buffered) == (901, 0)


PROGRAM = """
import os, sys
from pipeline.emitter import SyncEmitter, Options
emitter = SyncEmitter(sys.argv[1], sys.argv[2], options=Options(linger_seconds=60))
send = lambda: emitter.emit(channel="web", touchpoint="page_view", customer_id=sys.argv[3])
send()
child = os.fork()
if child == 0:
    send()
    emitter.close()
    os._exit(0 if emitter.stats.accepted == 1 else 1)
assert os.waitpid(child, 0)[1] == 0
send()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
async def test_fork_and_exit_lose_nothing_and_repeat_nothing(kafka: Broker, running: Running) -> None:
    customer = f"c-{uuid.uuid4()}"
    program = [sys.executable, "-c", PROGRAM, running.url, KEY, customer]
    ended = await asyncio.to_thread(subprocess.run, program, timeout=60, check=False)
    assert ended.returncode == 0
    sent = await ids(kafka, customer)
    assert (len(sent), len(set(sent))) == (3, 3)


async def test_kafka_away_is_waited_for(kafka: Broker, running: Running) -> None:
    customer = f"c-{uuid.uuid4()}"
    async with Emitter(running.url, KEY) as emitter:
        await emitter.emit(channel="web", touchpoint="page_view", customer_id=customer)
        assert await emitter.flush(30)
        await suspend(kafka)
        await emitter.emit(channel="web", touchpoint="page_view", customer_id=customer)
        assert not await emitter.flush(0.5)
        kafka.child.signal(signal.SIGCONT)
        assert await emitter.flush(60)
    assert len(set(await ids(kafka, customer))) == 2
