"""Asking the local ClickHouse's HTTP front, with its official client and without."""

from __future__ import annotations

import http.client
from base64 import b64encode
from typing import Any

import clickhouse_connect

from tests.integration.sinks_server import Server


def client(server: Server, **more: Any) -> Any:
    """The official client; `more` are its own options."""
    port = int(server.url.rsplit(":", 1)[1])
    return clickhouse_connect.get_client(
        **{"host": "127.0.0.1", "port": port, "username": "default", "password": server.password, **more}
    )


def ask(
    server: Server, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One plain HTTP request with the right password, as curl would send it; status, headers and body."""
    secret = f"default:{server.password}".encode()
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    sent = {"Authorization": f"Basic {b64encode(secret).decode()}", **(headers or {})}
    try:
        connection.request("GET" if body is None else "POST", path, body, sent)
        response = connection.getresponse()
        return response.status, dict(response.headers), response.read()
    finally:
        connection.close()
