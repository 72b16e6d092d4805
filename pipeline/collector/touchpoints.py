"""POST /v1/touchpoints: read, split, validate, hand to Kafka, and answer once Kafka has acknowledged."""

from __future__ import annotations

import time
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from pipeline.collector import answers
from pipeline.collector.body import read
from pipeline.collector.entry import Entry
from pipeline.collector.intake import EventId, Intake
from pipeline.collector.keep import Keeper
from pipeline.collector.keys import Key
from pipeline.collector.metrics import Metrics
from pipeline.collector.origins import readable_by
from pipeline.collector.pieces import splitter
from pipeline.collector.refusal import Refusal
from pipeline.errors import UnavailableError
from pipeline.model import derived_id

RETRY_SECONDS = 2
SOURCE = "http"
"""The way in that a key must be good for; events that the emitter sends are marked `emitter` all the same."""
_LONGEST_KEY = 255


class Touchpoints:
    """The endpoint. Everything that came in is in Kafka before its sender is told so."""

    def __init__(self, keeper: Keeper, entry: Entry, metrics: Metrics, intake: Intake) -> None:
        self._keeper = keeper
        self._entry = entry
        self._metrics = metrics
        self._intake = intake

    async def __call__(self, request: Request) -> Response:
        """Answer one request; every outcome is counted once."""
        key: Key | None = None
        try:
            key = self._entry.key(request.headers, SOURCE, public=True)
            response = await self._answer(request, key)
        except Refusal as refusal:
            self._metrics.refused(refusal.code, key.id if key else refusal.key_id)
            response = answers.refused(refusal)
        except UnavailableError as error:
            self._metrics.refused("unavailable", key.id if key else "")
            response = answers.unavailable(str(error), RETRY_SECONDS)
        self._metrics.answered(response.status_code)
        if origin := request.headers.get("origin"):
            response.headers.update(readable_by(origin, self._entry.origins()))
        return response

    async def _answer(self, request: Request, key: Key) -> Response:
        headers = request.headers
        split = splitter(headers.get("content-type"))
        event_id = _event_ids(headers.get("idempotency-key"))
        source = "emitter" if headers.get("user-agent", "").startswith("touchline-emitter/") else SOURCE
        with self._entry.admit(key) as admission:
            raw = await read(request, admission)
            self._metrics.read(len(raw))
            pieces = split(raw)
            del raw
            self._entry.spend(key, len(pieces))
            now = time.time_ns() // 1_000_000
            taken = self._intake.take(pieces, now, source, event_id, key.channels)
            del pieces
            await self._keeper.keep(taken, now, source)
        return answers.taken(len(taken.accepted), taken.refused)


def _event_ids(idempotency_key: str | None) -> EventId | None:
    """Return ids that a resend under the same key has again."""
    if idempotency_key is None:
        return None
    if not 0 < len(idempotency_key) <= _LONGEST_KEY:
        raise Refusal(400, "idempotency_key", f"Idempotency-Key may have 1 to {_LONGEST_KEY} characters")
    return partial(derived_id, "idempotency", idempotency_key)
