"""What the commands share: options, and running asynchronous code."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
import uvloop

Data = Annotated[Path | None, typer.Option("--data", help="Folder of the local stack [TOUCHLINE_DATA].")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


Result = TypeVar("Result")


def run(work: Awaitable[Result]) -> Result:
    """Run to the end on a fast event loop."""
    return uvloop.run(work)  # type: ignore[arg-type]


def print_json(value: Any) -> None:
    """One JSON value on standard output, on one line."""
    write((json.dumps(value, default=str) + "\n").encode())


def write(content: bytes) -> None:
    """All of it on standard output: unbuffered (PYTHONUNBUFFERED), one write to a slow pipe may take only a part."""
    sys.stdout.flush()
    left = memoryview(content)
    while left:
        left = left[sys.stdout.buffer.write(left) :]
    sys.stdout.buffer.flush()


def tell(message: str) -> None:
    """One line on standard error."""
    sys.stderr.write(message + "\n")
