"""Runs one measuring process and reads the JSON object it prints."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from typing import Any


async def figures_of(module: str, *arguments: str, **environment: str) -> dict[str, Any]:
    """Run `python -m tests.bench.<module>`; what it printed. Raises RuntimeError when it failed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"tests.bench.{module}",
        *arguments,
        env={**os.environ, **environment},
        stdin=DEVNULL,
        stdout=PIPE,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{module} ended with status {process.returncode}")
    answer: dict[str, Any] = json.loads(output.decode().strip().splitlines()[-1])
    return answer
