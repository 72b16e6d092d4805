"""Reads a request of ClickHouse's HTTP interface: who asks, from where, and what."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import cramjam
from aiohttp import web

from pipeline.local.engine import Context, EngineError
from pipeline.local.statement import HEAD_BYTES

USER = "default"
PIECE_BYTES = 4 * 1024 * 1024
NOT_SETTINGS = frozenset(
    (
        *("query", "database", "default_format", "user", "password", "quota_key", "role", "stacktrace"),
        *("compress", "decompress", "buffer_size", "wait_end_of_query", "client_protocol_version"),
        *("query_id", "session_id", "session_timeout", "session_check", "close_session"),
    )
)
DECODERS = {
    "gzip": cramjam.gzip.decompress,
    "deflate": cramjam.zlib.decompress,
    "lz4": cramjam.lz4.decompress,
    "zstd": cramjam.zstd.decompress,
    "br": cramjam.brotli.decompress,
}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a request brought: the beginning of its text, the rest in pieces, and URL and form fields."""

    head: bytes
    rest: tuple[bytes, ...]
    arguments: Mapping[str, str]


def is_foreign(request: web.Request, port: int) -> bool:
    """Tell whether a web page may be behind the request: it names an Origin, or a Host that is not ours."""
    ours = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
    return "Origin" in request.headers or request.headers.get("Host", "").lower() not in ours


def is_authentic(request: web.Request, password: str) -> bool:
    """Tell whether user and password (basic, X-ClickHouse headers or URL) are right, in constant time."""
    user, given = _credentials(request)
    same = hmac.compare_digest(given.encode("utf-8", "replace"), password.encode())
    return same and user == USER


def _credentials(request: web.Request) -> tuple[str, str]:
    headers, url = request.headers, request.query
    if "X-ClickHouse-User" in headers or "X-ClickHouse-Key" in headers:
        return headers.get("X-ClickHouse-User", USER), headers.get("X-ClickHouse-Key", "")
    if headers.get("Authorization", "").lower().startswith("basic "):
        try:
            user, _, given = b64decode(headers["Authorization"][6:]).decode().partition(":")
        except (Base64Error, UnicodeDecodeError):
            return "", ""
        return user, given
    return url.get("user", USER), url.get("password", "")


async def read(request: web.Request) -> Sent:
    """Read the whole request. Raises EngineError when its body cannot be decoded."""
    if request.content_type == "multipart/form-data":
        return await _read_form(request)
    pieces = [piece async for piece in request.content.iter_any()]
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        pieces = list(_decoded(b"".join(pieces), encoding))
    query = request.query.get("query", "").encode("utf-8", "surrogateescape")
    if query:
        return Sent(query, tuple(pieces), request.query)
    return _beheaded(pieces, request.query)


def _beheaded(pieces: list[bytes], arguments: Mapping[str, str]) -> Sent:
    """Join as many pieces as a statement may be long."""
    size = count = 0
    while count < len(pieces) and size < HEAD_BYTES:
        size += len(pieces[count])
        count += 1
    return Sent(b"".join(pieces[:count]), tuple(pieces[count:]), arguments)


async def _read_form(request: web.Request) -> Sent:
    form = await request.post()
    arguments = dict(request.query)
    for name, value in form.items():
        if not isinstance(value, str):
            raise refusal(48, f"external data ({name}) is not offered by the local engine", "NOT_IMPLEMENTED")
        arguments[name] = value
    return Sent(arguments.get("query", "").encode(), (), arguments)


def _decoded(body: bytes, encoding: str) -> Iterator[bytes]:
    decoder = DECODERS.get(encoding)
    if decoder is None:
        raise refusal(48, f"Unknown content encoding {encoding}", "NOT_IMPLEMENTED")
    try:
        plain = memoryview(decoder(body))
    except cramjam.DecompressionError as error:
        raise refusal(271, f"Cannot decompress the body: {error}", "CANNOT_DECOMPRESS") from error
    return (bytes(plain[start : start + PIECE_BYTES]) for start in range(0, len(plain), PIECE_BYTES))


def context(request: web.Request, arguments: Mapping[str, str]) -> Context:
    """Sort arguments into database, format, settings, parameters; a GET may only read, as in ClickHouse."""
    settings = {k: v for k, v in arguments.items() if k not in NOT_SETTINGS and not k.startswith("param_")}
    if request.method == "GET" and settings.get("readonly", "0") == "0":
        settings["readonly"] = "2"
    headers = request.headers
    return Context(
        database=arguments.get("database") or headers.get("X-ClickHouse-Database") or None,
        format=arguments.get("default_format") or headers.get("X-ClickHouse-Format") or "TabSeparated",
        settings=settings,
        parameters={k.removeprefix("param_"): v for k, v in arguments.items() if k.startswith("param_")},
    )


def refusal(code: int, text: str, name: str) -> EngineError:
    """Return an error in the words the engine itself would use."""
    return EngineError(code, f"Code: {code}. DB::Exception: {text}. ({name})")


def pieces_of(first: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the non-empty pieces of an insert's data in order."""
    if first:
        yield first
    yield from rest
