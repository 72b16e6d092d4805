"""What the collector answers, held against its own description: generated requests to a real process."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest

from tests.integration.collector_process import KEY, TILLS, Broker, collector

OPTIONS = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = 40
SECONDS = 150


@pytest.mark.timeout(SECONDS + 60)
async def test_answers_are_as_described(kafka: Broker, tmp_path: Path) -> None:
    """No request is answered 5xx, none with a status, type, header or body that is not in the description."""
    channels = tmp_path / "channels"
    channels.mkdir()
    (channels / "tills.toml").write_text(TILLS)
    async with collector(kafka.url, tmp_path / "collector", channels=str(channels)) as running:
        words = (
            *("-m", "schemathesis.cli", "--config-file", str(OPTIONS), "run", f"{running.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {KEY}", "--max-examples", str(EXAMPLES), "--no-color"),
            *("--generation-deterministic", "--continue-on-failure", "--no-shrink"),
        )
        process = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=tmp_path, stdout=PIPE, stderr=STDOUT)
        async with asyncio.timeout(SECONDS):
            output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()
        assert running.child.alive
        assert "Traceback" not in running.child.tail(200)
