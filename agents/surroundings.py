"""What of its application an agent works with, beside the chunks it is handed."""

from __future__ import annotations

from typing import Protocol

from agents.flow import Flow
from agents.metrics import Metrics
from agents.waits import Waits


class Surroundings(Protocol):
    """A `ChunkedApp`, as an agent sees it."""

    flow: Flow
    waits: Waits
    metrics: Metrics

    def failed(self, error: BaseException | None) -> None:
        """Note that the worker cannot go on."""
