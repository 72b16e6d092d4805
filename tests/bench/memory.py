"""How much memory a process has had."""

from __future__ import annotations

from pathlib import Path


def peak_mb(pid: int) -> float:
    """The most resident memory of the process since it runs its program.

    `ru_maxrss` would not do: a child's begins with that of the parent that it was forked from.
    """
    [line] = [text for text in Path(f"/proc/{pid}/status").read_text().splitlines() if text.startswith("VmHWM")]
    return int(line.split()[1]) / 1024
