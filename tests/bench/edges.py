"""The ways in: the collector in batches of 100 and single, and a backfill from file to landed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from asyncio.subprocess import PIPE
from datetime import UTC, datetime
from pathlib import Path

from pipeline.local.installation import Installation
from pipeline.settings import Settings
from tests.bench.report import tell
from tests.bench.stream import touchpoints

LINES = 100_000


async def run() -> None:
    """Each in turn, on one installation."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(collector_port=0, collector_private_port=0)
        async with Installation(settings, Path(folder)) as installation:
            extra = installation.endpoints.extra
            for name, batch, events in (("batches of 100", 100, 300_000), ("single posts", 1, 20_000)):
                words = (extra["collector_url"], extra["write_key"], "--batch", str(batch), "--events", str(events))
                tell(f"collector, {name}", **await _json("-m", "tests.bench.collector_load", *words))
            history = Path(folder) / "history.jsonl"
            await asyncio.to_thread(_write, history)
            result = await _json("-m", "pipeline.cli", "backfill", str(history), "--data", folder, "--json")
            tell("backfill, file to landed", lines=result["lines"], lines_per_s=result["lines"] / result["seconds"])


async def _json(*words: str) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=PIPE, env=dict(os.environ))
    output, _ = await process.communicate()
    answer: dict[str, float] = json.loads(output)
    return answer


def _write(path: Path) -> None:
    with path.open("w") as out:
        for record in touchpoints(LINES, LINES // 22, seed=3):
            given = {name: value for name, value in record.items() if value not in (None, {}, "http")}
            given["occurred_at"] = datetime.fromtimestamp(given["occurred_at"] / 1000, UTC).isoformat()
            del given["received_at"]
            out.write(json.dumps(given) + "\n")
