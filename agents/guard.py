"""Telling bad data from a bad deploy: a partition whose records are mostly refused is stopped, not emptied."""

from __future__ import annotations

from collections import deque

WINDOW = 1_000
LEAST = 500


class Guard:
    """Watches what share of each partition's last records was refused."""

    def __init__(self) -> None:
        self._windows: dict[int, deque[tuple[int, int]]] = {}

    def trips(self, partition: int, records: int, refused: int) -> bool:
        """Count a chunk; True when over half of the last WINDOW records, and at least LEAST, were refused."""
        window = self._windows.setdefault(partition, deque())
        window.append((records, refused))
        total = sum(count for count, _ in window)
        while len(window) > 1 and total - window[0][0] >= WINDOW:
            total -= window.popleft()[0]
        bad = sum(count for _, count in window)
        return bad >= LEAST and bad * 2 > total
