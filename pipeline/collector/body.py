"""Reading a request's body: never more than the limit, from the socket or out of a compressed one."""

from __future__ import annotations

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request

from pipeline.collector.gate import Admission
from pipeline.collector.refusal import Refusal, not_json, too_large, wrong_type

BODY_LIMIT = 4 * 1024 * 1024
READ_SECONDS = 30.0
CODINGS = ("gzip", "deflate")

_LIMIT = f"a body may hold {BODY_LIMIT:,} bytes after decompression: send fewer events at once"


async def read(request: Request, admission: Admission) -> bytes:
    """Return the body, decompressed.

    Raises a Refusal: 400 for a body that ends early or is broken inside, 408 for one that does not come, 413 for
    one over the limit, which is found while reading, 415 for a coding not in CODINGS.
    """
    codings = [coding.strip().lower() for coding in request.headers.get("content-encoding", "").split(",")]
    codings = [coding for coding in codings if coding not in {"", "identity"}]
    if len(codings) > 1 or not set(codings) <= set(CODINGS):
        wrong_type("content_encoding", f"Content-Encoding may be one of {', '.join(CODINGS)}")
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced[:20]) > BODY_LIMIT:
        too_large(_LIMIT)
    try:
        async with asyncio.timeout(READ_SECONDS):
            raw = await _received(request, admission)
    except ClientDisconnect as error:
        raise Refusal(400, "incomplete", "the connection ended before the body did") from error
    except TimeoutError as error:
        raise Refusal(408, "slow", f"the body did not come within {READ_SECONDS:g} s") from error
    if not codings:
        return raw
    body = inflate(codings[0], raw)
    admission.hold(len(body))
    return body


async def _received(request: Request, admission: Admission) -> bytes:
    chunks: list[bytes] = []
    length = 0
    async for chunk in request.stream():
        length += len(chunk)
        if length > BODY_LIMIT:
            too_large(_LIMIT)
        admission.hold(len(chunk))
        chunks.append(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def inflate(coding: str, raw: bytes, limit: int = BODY_LIMIT) -> bytes:
    """Decompress, stopping at the limit: a bomb costs no more than a full body. Raises a Refusal."""
    try:
        return _inflate(raw, limit, _window(coding, raw))
    except (zlib.error, EOFError) as error:
        not_json(f"the body is not {coding}, or is cut short: {error}", "not_compressed")


def _window(coding: str, raw: bytes) -> int:
    """Tell zlib what is around the data; `deflate` comes with and without the header that it should have."""
    if coding == "gzip":
        return zlib.MAX_WBITS | 16
    headed = len(raw) > 1 and raw[0] & 0x0F == 8 and (raw[0] << 8 | raw[1]) % 31 == 0
    return zlib.MAX_WBITS if headed else -zlib.MAX_WBITS


def _inflate(raw: bytes, limit: int, window: int) -> bytes:
    """Decompress all members of the body, one after the other."""
    parts: list[bytes] = []
    left = limit
    while raw:
        stream = zlib.decompressobj(window)
        part = stream.decompress(raw, left + 1)
        if len(part) > left:
            too_large(_LIMIT)
        if not stream.eof:
            raise EOFError("it ends too early")
        parts.append(part)
        left -= len(part)
        raw = stream.unused_data
    return b"".join(parts)
