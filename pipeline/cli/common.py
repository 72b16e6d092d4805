"""What the commands share: options, and running asynchronous code."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar

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
    print_bytes((json.dumps(value, default=str) + "\n").encode())


def print_bytes(data: bytes) -> None:
    """Bytes on standard output, after what was printed before."""
    sys.stdout.flush()
    write_all(sys.stdout.buffer, data)
    sys.stdout.buffer.flush()


def write_all(out: BinaryIO, data: bytes) -> None:
    """Write everything: with PYTHONUNBUFFERED standard output is the bare pipe, whose `write` may take a part only."""
    left = memoryview(data)
    while left:
        left = left[out.write(left) :]


def tell(message: str) -> None:
    """One line on standard error."""
    sys.stderr.write(message + "\n")
