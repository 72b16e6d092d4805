"""Runs a command that dies with the process that started it: `python leash.py PARENT_PID COMMAND...`.

On Linux the kernel is asked to send SIGKILL when the starting thread ends, and the command then replaces this
process, so its process id is the command's own. Elsewhere this process stays as a guard: standard input is a
pipe whose other end only the parent holds, and its end means that the parent is gone. Run as a script, it
imports nothing of the project.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1


def bind_to_parent(parent: int) -> None:
    """Ask the kernel for SIGKILL on the parent's death; exits at once when it has died already."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        raise SystemExit(1)


def guard(command: list[str]) -> int:
    """Run the command until it ends, SIGTERM comes (passed on) or standard input ends (then SIGKILL)."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], 0.1)
        if readable and not os.read(0, 1):
            child.kill()
    return child.wait()


def main() -> None:
    """Replace this process with the command, or guard it where the kernel cannot."""
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        bind_to_parent(parent)
        with open(os.devnull) as nothing:  # noqa: PTH123 - this script keeps its imports few, for a quick start
            os.dup2(nothing.fileno(), 0)
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    raise SystemExit(guard(command))


if __name__ == "__main__":
    main()
