"""POST /v1/webhooks/{source}: check who sends, map the payload, hand it to Kafka, answer once that has acknowledged."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from pipeline.channels.applied import apply
from pipeline.channels.compiled import Source
from pipeline.channels.envelope import Incoming
from pipeline.collector import answers
from pipeline.collector.body import read
from pipeline.collector.entry import Entry
from pipeline.collector.intake import Intake
from pipeline.collector.keep import Keeper
from pipeline.collector.keys import Key
from pipeline.collector.metrics import Metrics
from pipeline.collector.refusal import Refusal
from pipeline.collector.senders import Senders
from pipeline.collector.touchpoints import RETRY_SECONDS
from pipeline.errors import UnavailableError

Understood = Callable[[Incoming, int], Incoming]
"""From a request as it came and the present moment, UTC milliseconds, to the one that its source's mapping reads."""


class Webhooks:
    """The endpoint for all sources. Only a source with a secret is on, or one whose sender shows a write key."""

    def __init__(self, senders: Senders, entry: Entry, keeper: Keeper, intake: Intake, metrics: Metrics) -> None:
        self._senders = senders
        self._entry = entry
        self._keeper = keeper
        self._intake = intake
        self._metrics = metrics

    async def __call__(self, request: Request, name: str, understood: Understood | None = None) -> Response:
        """Answer one request; every outcome is counted once.

        `understood` says what a request means that reaches a source by a way of its own.
        """
        try:
            response = await self._answer(request, name, understood)
        except Refusal as refusal:
            self._metrics.refused(refusal.code, refusal.key_id)
            response = answers.refused(refusal)
        except UnavailableError as error:
            self._metrics.refused("unavailable")
            response = answers.unavailable(str(error), RETRY_SECONDS)
        self._metrics.answered(response.status_code)
        return response

    async def _answer(self, request: Request, name: str, understood: Understood | None) -> Response:
        source = self._senders.source(name)
        if request.method == "HEAD":
            return Response()
        challenges = self._senders.challenges
        with self._entry.admit_source(name) as admission:
            incoming = self._senders.incoming(request, await read(request, admission))
            self._metrics.read(len(incoming.body))
            now = time.time_ns() // 1_000_000
            if understood is not None:
                incoming = understood(incoming, now)
            if (answer := challenges.unsigned(source, incoming)) is not None:
                return answer
            if request.method == "GET":
                raise Refusal(
                    400, "no_challenge", "a GET is taken only when it is the challenge of a source that makes one"
                )
            key = self._senders.believe(source, incoming, now)
            if (answer := challenges.signed(source, incoming)) is not None:
                return answer
            return await self._take(source, incoming, now, key)

    async def _take(self, source: Source, incoming: Incoming, now: int, key: Key | None) -> Response:
        outcome = apply(source, incoming)
        if (problem := outcome.problem) is not None:
            where = f"{problem.path}: " if problem.path else ""
            raise Refusal(413 if problem.code == "too_large" else 400, problem.code, where + problem.message)
        if key is not None:
            self._entry.spend(key, len(outcome.touchpoints))
        taken = self._intake.take_mapped(source, outcome, now, incoming, key.channels if key else ())
        await self._keeper.keep(taken, now, source.name)
        self._metrics.ignored(source.name, outcome.ignored)
        ignored = sum(outcome.ignored.values())
        return answers.mapped(len(taken.accepted), taken.refused, ignored, vendor=key is None)
