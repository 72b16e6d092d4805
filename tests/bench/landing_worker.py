"""Runs the landing application until so many touchpoints have landed; prints figures."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time

import uvloop

from agents import worker
from agents.landing_app import landing_app
from pipeline import topics
from pipeline.roles import clickhouse_of, kafka_of
from pipeline.settings import load
from tests.bench.memory import peak_mb


async def main(count: int) -> None:
    """Land `count` touchpoints and print what it took, from the first insert to the last."""
    settings = load()
    kafka_url = kafka_of(settings)
    client = await clickhouse_of(settings)
    app, landers = landing_app(kafka_url, settings, await topics.epochs(kafka_url), client)
    lander = landers["touchpoints"]
    gc.set_threshold(worker.GC_THRESHOLD, 50, 100)
    await app.start()
    while not lander.landed:
        await asyncio.sleep(0.005)
    start, wall, cpu = lander.landed, time.monotonic(), time.process_time()
    while lander.landed < count:
        if app.failure is not None:
            raise app.failure
        await asyncio.sleep(0.005)
    events, used = lander.landed - start, time.process_time() - cpu
    figures = {
        "events": events,
        "events_per_s": events / (time.monotonic() - wall),
        "cpu_us_per_event": used / events * 1e6,
        "peak_memory_mb": peak_mb(os.getpid()),
    }
    print(json.dumps(figures), flush=True)
    for close in app.closing:
        await close()
    await app.stop()
    await client.close()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
