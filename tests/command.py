"""Runs the command `touchline` as a user would, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a command came to."""

    status: int
    output: str
    errors: str

    def json(self) -> Any:
        """The object it printed."""
        return json.loads(self.output)


async def start(*words: str, **environment: str) -> Process:
    """Start a command."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pipeline.cli", *words, stdout=PIPE, stderr=PIPE, env={**os.environ, **environment}
    )


async def touchline(*words: str, **environment: str) -> Answer:
    """Run a command to its end."""
    process = await start(*words, **environment)
    output, errors = await process.communicate()
    return Answer(process.returncode or 0, output.decode(), errors.decode())
