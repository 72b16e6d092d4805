"""Child processes that never outlive their owner."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import UnavailableError

POLL_SECONDS = 0.02
LEASH = Path(__file__).with_name("leash.py")


class Child:
    """One running command, in a session of its own, that is killed when its owner dies.

    The terminal's Ctrl-C reaches only the owner, so the owner decides when a child stops. Start children from
    the main thread, or another that lives as long as they shall: on Linux a child is killed when the *thread*
    that started it ends.
    """

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self.started = time.monotonic()
        self._process = process

    @classmethod
    def start(cls, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> Child:
        """Start `command`; what it prints is appended to `log`. `env` is added to the owner's environment."""
        leashed = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid()), *command]
        with log.open("ab") as output:
            process = subprocess.Popen(
                leashed,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """Process id, also of the process group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs (a stopped one, SIGSTOP, counts as running)."""
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """Exit status, negative for a signal; None while it runs."""
        return self._process.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the child's whole process group; nothing happens when it has ended."""
        if self.alive:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                return

    def kill(self) -> None:
        """SIGKILL the child's process group and reap it."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        self._close()

    async def wait(self, seconds: float | None = None) -> int | None:
        """Wait until the child has ended; its exit status, or None when `seconds` ran out first."""
        until = None if seconds is None else time.monotonic() + seconds
        while self.alive:
            if until is not None and time.monotonic() >= until:
                return None
            await asyncio.sleep(POLL_SECONDS)
        return self._process.returncode

    async def stop(self, grace: float = 10.0) -> None:
        """SIGTERM, then SIGKILL when the child still runs after `grace` seconds. Safe to call twice."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            if await self.wait(grace) is None:
                self.kill()
        except asyncio.CancelledError:
            self.kill()
            raise
        self._close()

    def tail(self, lines: int = 1) -> str:
        """Return the last lines of the child's log, for an error message."""
        try:
            text = self.log.read_bytes()[-16_384:].decode(errors="replace")
        except OSError:
            return ""
        return "\n".join([line for line in text.splitlines() if line.strip()][-lines:])

    def _close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()


async def run(name: str, command: Sequence[str], log: Path, seconds: float) -> None:
    """Run a command to its end. Raises UnavailableError, with the log's last line, when that is not well."""
    child = Child.start(name, command, log)
    try:
        status = await child.wait(seconds)
    finally:
        await child.stop(grace=2.0)
    if status is None:
        raise UnavailableError(f"{name} did not end within {seconds:.0f} s; see {log}")
    if status != 0:
        raise UnavailableError(f"{name} failed ({child.tail() or f'status {status}'}); see {log}")
