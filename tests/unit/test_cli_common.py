"""What the commands share."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
import time

WRITES = """
import signal
from pipeline.cli.common import write

signal.signal(signal.SIGUSR1, lambda *_: None)
write(b"x" * 3_000_000)
"""


def waiting(pipe: int) -> int:
    """How many bytes a pipe holds."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_a_slow_reader_gets_everything() -> None:
    """Unbuffered, a signal while the pipe is full makes one write end early."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", WRITES]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        until = time.monotonic() + 60
        while waiting(process.stdout.fileno()) < 4096:
            assert process.poll() is None and time.monotonic() < until
        process.send_signal(signal.SIGUSR1)
        assert len(process.stdout.read()) == 3_000_000
        assert process.wait() == 0
