"""Runs the customers agent until it has folded so many events; prints figures."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import sys
import time

import uvloop

from agents import worker
from agents.customers_app import customers_app
from pipeline import state, topics
from pipeline.settings import load
from tests.bench.memory import peak_mb


async def main(kafka_url: str, count: int) -> None:
    """Fold `count` events and print what it took, from the first chunk's commit to the last's."""
    settings = load()
    epochs = await topics.ensure(kafka_url, topics.Making(settings.partitions))
    app, customers, _ = customers_app(kafka_url, settings, epochs, settings.partitions)
    gc.set_threshold(worker.GC_THRESHOLD, 50, 100)
    await app.start()
    first = await _until(lambda: customers.folded > 0, app)
    start, wall, cpu = customers.folded, first, time.process_time()
    last = await _until(lambda: customers.folded >= count, app)
    events = customers.folded - start
    used = time.process_time() - cpu
    store = app.tables["state"].data
    sizes = [len(value) for states in store.data.values() for value in states.values()]
    figures = {
        "events": events,
        "events_per_s": events / (last - wall),
        "cpu_us_per_event": used / events * 1e6,
        "events_per_cpu_s": events / used,
        "customers": len(sizes),
        "state_bytes_median": statistics.median(sizes),
        "state_bytes_max": max(sizes),
        "touchpoints_max": max(_touchpoints(value) for states in store.data.values() for value in states.values()),
        "events_per_customer_and_chunk": customers.events_per_customer,
        "peak_memory_mb": peak_mb(os.getpid()),
    }
    print(json.dumps(figures), flush=True)
    for close in app.closing:
        await close()
    await app.stop()


def _touchpoints(value: bytes) -> int:
    profile = state.load(value).profile
    return profile.inbound + profile.outbound


async def _until(condition: object, app: object) -> float:
    while not condition():  # type: ignore[operator]
        if app.failure is not None:  # type: ignore[attr-defined]
            raise app.failure  # type: ignore[attr-defined]
        await asyncio.sleep(0.01)
    return time.monotonic()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2])))
