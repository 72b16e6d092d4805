"""The application that agents of chunks run in: what Faust must not hold up by itself."""

from __future__ import annotations

from agents.apps import chunked_app
from pipeline.settings import Settings


def test_faust_takes_as_many_chunks_as_the_worker_holds() -> None:
    """Where a queue of its own is nearly full it reads nothing at all for a second."""
    app = chunked_app("group", "localhost:9092", Settings(), "folded")

    @app.agent(app.chunks_of("touchpoints"), name="agent")
    async def agent(chunks: object) -> None:
        """Only declared."""

    queue = agent.channel_iterator.clone(is_iterator=True).queue
    assert queue.pressure_high_size > 3_000
