"""What a sender is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from pipeline.collector.refusal import Refusal
from pipeline.model import Rejected


def taken(accepted: int, refused: Iterable[tuple[int, Rejected]]) -> Response:
    """200, or 422 when there were events and none could be accepted."""
    rejected = [_rejection(index, event) for index, event in refused]
    status = 422 if rejected and not accepted else 200
    return _json(status, {"accepted": accepted, "rejected": rejected})


def mapped(accepted: int, refused: Iterable[tuple[int, Rejected]], ignored: int, *, vendor: bool) -> Response:
    """200 for a vendor, whatever became of its touchpoints: it would only send the same again.

    Others are told by 422 that there were events and none could be accepted.
    """
    rejected = [_rejection(index, event) for index, event in refused]
    status = 422 if rejected and not accepted and not vendor else 200
    return _json(status, {"accepted": accepted, "rejected": rejected, "ignored": ignored})


def refused(refusal: Refusal) -> Response:
    """Answer a request that was refused as a whole."""
    body = {"error": {"code": refusal.code, "message": refusal.message}}
    return _json(refusal.status, body, refusal.headers)


def unavailable(why: str, retry_after: int) -> Response:
    """503: nothing was promised, and sending the same again is safe."""
    body = {"error": {"code": "unavailable", "message": why}}
    return _json(503, body, {"Retry-After": str(retry_after)})


def _rejection(index: int, event: Rejected) -> dict[str, Any]:
    errors = [{"code": each.code, "path": each.path, "message": each.message} for each in event.errors]
    return {"index": index, "event_id": event.event_id, "errors": errors}


def _json(status: int, content: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(to_json(content), status, headers, "application/json")
