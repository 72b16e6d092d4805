"""How a batch is delivered, without doing any of it: what to post, when to wait, when it is settled.

Whoever drives the generator posts and waits, so the asynchronous and the synchronous emitter share every rule:
connection errors, 408, 429 and 5xx are tried again with the same event_ids, for ever, with exponential backoff and
full jitter; 413 is split; any other answer settles the batch.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

import httpx

from pipeline.emitter.event import Event
from pipeline.emitter.options import Options
from pipeline.emitter.report import Problem, Report
from pipeline.model import VERSION

AGENT = f"touchline-emitter/{VERSION}"
_LONGEST_RETRY_AFTER = 300.0


@dataclass(frozen=True)
class Post:
    """Post this body and send the answer, or the transport's error, back in."""

    content: bytes
    headers: dict[str, str]


@dataclass(frozen=True)
class Pause:
    """Wait."""

    seconds: float


Answer = httpx.Response | httpx.RequestError
Delivery = Generator[Post | Pause, Answer | None, None]


def endpoint(url: str) -> str:
    """Return where to post. Raises ValueError for what is not a collector's address."""
    if httpx.URL(url).scheme not in {"http", "https"} or not httpx.URL(url).host:
        raise ValueError(f"{url!r} is not an address: give the collector's, like http://127.0.0.1:8480")
    return url.rstrip("/") + "/v1/touchpoints"


def deliver(events: list[Event], report: Report, options: Options) -> Delivery:
    """Deliver a batch; every event of it is settled in `report` when the generator ends."""
    waiting = [events]
    attempts = 0
    while waiting:
        batch = waiting[0]
        report.requests += 1
        answer = yield _post(batch, options)
        if answer is None or _again(answer):
            report.retries += 1
            yield Pause(_delay(answer, attempts, options))
            attempts += 1
            continue
        attempts = 0
        waiting[:1] = [] if _settle(batch, answer, report) else _halves(batch)


def _settle(batch: list[Event], answer: Answer, report: Report) -> bool:
    """Settle the batch as the answer says; False when it has to be split first."""
    assert isinstance(answer, httpx.Response)  # noqa: S101 (transport errors are tried again)
    if answer.status_code in {200, 422}:
        report.taken(batch, _refused(answer))
        return True
    if answer.status_code == 413 and len(batch) > 1:
        return False
    report.refused(batch, _problem(answer))
    return True


def _halves(batch: list[Event]) -> list[list[Event]]:
    middle = len(batch) // 2
    return [batch[:middle], batch[middle:]]


def _post(batch: list[Event], options: Options) -> Post:
    content = b"[" + b",".join(event.raw for event in batch) + b"]"
    headers = {"Content-Type": "application/json", "User-Agent": AGENT}
    if len(content) >= options.gzip_from_bytes:
        return Post(gzip.compress(content, 4, mtime=0), {**headers, "Content-Encoding": "gzip"})
    return Post(content, headers)


def _again(answer: Answer) -> bool:
    if isinstance(answer, httpx.RequestError):
        return True
    if answer.status_code in {200, 422}:
        return not _readable(answer)
    return answer.status_code in {408, 429} or answer.status_code >= 500


def _delay(answer: Answer | None, attempts: int, options: Options) -> float:
    """Full jitter over a doubling delay, after what the collector asked for."""
    longest = min(options.longest_delay_seconds, options.first_delay_seconds * 2 ** min(attempts, 20))
    return _retry_after(answer) + random.uniform(0, longest)


def _retry_after(answer: Answer | None) -> float:
    asked = answer.headers.get("retry-after", "") if isinstance(answer, httpx.Response) else ""
    return min(float(asked), _LONGEST_RETRY_AFTER) if asked.isdecimal() else 0.0


def _readable(answer: httpx.Response) -> bool:
    """Whether it is a collector that answers, and not something in between."""
    try:
        _refused(answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return True


def _refused(answer: httpx.Response) -> dict[int, tuple[Problem, ...]]:
    content: dict[str, Any] = answer.json()
    return {
        each["index"]: tuple(Problem(e["code"], e["path"], e["message"]) for e in each["errors"])
        for each in content["rejected"]
    }


def _problem(answer: httpx.Response) -> Problem:
    try:
        error = answer.json()["error"]
        return Problem(str(error["code"]), "", str(error["message"]))
    except (ValueError, KeyError, TypeError):
        return Problem("http", "", f"the collector answered {answer.status_code}")
