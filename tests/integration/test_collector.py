"""The collector as a process before a real Kafka: what it takes, and how it refuses each kind of bad input."""

from __future__ import annotations

import asyncio
import gzip
import json
import uuid
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiokafka.partitioner import murmur2

from tests.integration.collector_process import GOOD, KEY, PARTITIONS, Broker, Running, collector, held

MEBIBYTE = 1024 * 1024
JSON = "application/json"
LINES = "application/x-ndjson"
AUTH = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
async def running(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    async with collector(kafka.url, tmp_path_factory.mktemp("collector")) as started:
        yield started


@pytest.fixture(scope="module")
async def client(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.url, headers=AUTH, timeout=30) as http:
        yield http


async def post(client: httpx.AsyncClient, body: Any, kind: str = JSON, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": kind, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await client.post("/v1/touchpoints", content=content, headers=sent)


def named(**changed: Any) -> dict[str, Any]:
    return {**GOOD, "event_id": str(uuid.uuid4()), **changed}


async def kept(kafka: Broker, *ids: str) -> list[dict[str, Any]]:
    return [record for record in await held(kafka.url, "touchpoints") if record["event_id"] in ids]


async def test_what_is_answered_200_is_in_kafka(client: httpx.AsyncClient, kafka: Broker) -> None:
    event = named(customer_id="käufer-1", attributes={"page": "/"}, value=12)
    answer = await post(client, event)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": []})
    (record,) = await kept(kafka, event["event_id"])
    assert (record["__key"], record["source"], record["value"]) == ("käufer-1", "http", 12.0)
    assert record["__partition"] == (murmur2("käufer-1".encode()) & 0x7FFFFFFF) % PARTITIONS


@pytest.mark.parametrize("kind", [JSON, LINES, "application/jsonl", "application/x-ndjson; charset=utf-8"])
async def test_batches(client: httpx.AsyncClient, kafka: Broker, kind: str) -> None:
    events = [named(), named(), {**GOOD, "channel": "wbe", "event_id": "not-one"}]
    body = json.dumps(events).encode() if kind == JSON else b"\r\n".join(json.dumps(e).encode() for e in events)
    answer = await post(client, body, kind)
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 2
    (refused,) = answer.json()["rejected"]
    assert (refused["index"], refused["event_id"]) == (2, "not-one")
    assert refused["errors"][0]["path"] == "event_id"
    assert len(await kept(kafka, *(event["event_id"] for event in events))) == 2


@pytest.mark.parametrize(
    ("coding", "squeeze"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda raw: zlib.compress(raw, wbits=-15)),
        ("gzip", lambda raw: gzip.compress(raw[:20]) + gzip.compress(raw[20:])),
        ("identity", bytes),
    ],
)
async def test_compressed(client: httpx.AsyncClient, coding: str, squeeze: Any) -> None:
    answer = await post(client, squeeze(json.dumps([GOOD] * 50).encode()), content_encoding=coding)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 50)


REFUSED: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("empty", b"", {}, 400, "empty"),
    ("blank lines", b" \n\n", {"kind": LINES}, 400, "empty"),
    ("cut", b'{"customer_id": "c', {}, 400, "not_json"),
    ("cut array", b'[{"customer_id": "c"}, ', {}, 400, "not_json"),
    ("two objects", json.dumps(GOOD).encode() * 2, {}, 400, "not_json"),
    ("not UTF-8", b'{"customer_id": "\xff"}', {}, 400, "not_utf8"),
    ("UTF-16", json.dumps(GOOD).encode("utf-16"), {}, 400, "not_utf8"),
    ("deep array", b"[" * 100_000, {}, 400, "not_json"),
    ("deep object", b'{"a":' * 9_000 + b"1" + b"}" * 9_000, {}, 400, "too_deep"),
    ("deep and large object", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, {}, 413, "too_large"),
    ("body", b"[" + b" " * 4 * MEBIBYTE + b"]", {}, 413, "too_large"),
    ("events", json.dumps([{}] * 1001).encode(), {}, 413, "too_large"),
    ("one large event", json.dumps({**GOOD, "reference": "r" * 65_536}).encode(), {}, 413, "too_large"),
    ("bomb", gzip.compress(b" " * 200 * MEBIBYTE), {"content_encoding": "gzip"}, 413, "too_large"),
    ("not gzip", json.dumps(GOOD).encode(), {"content_encoding": "gzip"}, 400, "not_compressed"),
    ("cut gzip", gzip.compress(b"[]")[:-3], {"content_encoding": "gzip"}, 400, "not_compressed"),
    ("coding", b"[]", {"content_encoding": "br"}, 415, "content_encoding"),
    ("two codings", b"[]", {"content_encoding": "gzip, gzip"}, 415, "content_encoding"),
    ("type", b"[]", {"kind": "text/plain"}, 415, "content_type"),
    ("charset", b"[]", {"kind": "application/json; charset=utf-16"}, 415, "charset"),
    ("no key", b"[]", {"authorization": ""}, 401, "key_missing"),
    ("wrong key", b"[]", {"authorization": "Bearer wk_tesT"}, 401, "key_unknown"),
    ("strange key", b"[]", {"authorization": "Bearer \xff\xfe"}, 401, "key_unknown"),
    ("empty idempotency key", b"[]", {"idempotency_key": ""}, 400, "idempotency_key"),
]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"), [each[1:] for each in REFUSED], ids=[e[0] for e in REFUSED]
)
async def test_refused_as_a_whole(
    client: httpx.AsyncClient, running: Running, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    before = await metric(running, "touchline_requests_refused_total", reason=code)
    encoded = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = await post(client, body, **encoded)  # type: ignore[arg-type]
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == code
    assert set(answer.json()) == {"error"}
    assert await metric(running, "touchline_requests_refused_total", reason=code) == before + 1


async def metric(running: Running, name: str, **labels: str) -> float:
    shown = ",".join(f'{label}="{value}"' for label, value in labels.items())
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{running.private_url}/metrics")).text
    wanted = f"{name}{{{shown}}} " if shown else f"{name} "
    return sum(float(line.removeprefix(wanted)) for line in text.splitlines() if line.startswith(wanted))


async def test_personal_data_is_counted_once_kafka_has_the_events(client: httpx.AsyncClient, running: Running) -> None:
    before = await metric(running, "touchline_personal_data_masked_total", kind="card")
    event = {**GOOD, "attributes": {"note": "4111 1111 1111 1111"}}
    answer = await post(client, event)
    assert answer.json() == {"accepted": 1, "rejected": []}
    assert await metric(running, "touchline_personal_data_masked_total", kind="card") == before + 1


def inside(raw: str) -> bytes:
    """One good event's JSON with this put in as a further member."""
    return json.dumps(GOOD).encode()[:-1] + b", " + raw.encode() + b"}"


@pytest.mark.parametrize(
    ("bad", "path"),
    [
        (inside('"value": NaN'), "value"),
        (inside('"value": -Infinity'), "value"),
        (inside('"value": 1e999'), "value"),
        (inside('"duration_ms": ' + "9" * 5000), "duration_ms"),
        (inside('"value": ' + "9" * 5000), "value"),
        (inside(r'"reference": "\ud800"'), "reference"),
        (inside(r'"\udfff": 1'), ""),
        (inside('"attributes": ' + '{"a":' * 300 + "1" + "}" * 300), "attributes.a"),
        (inside('"reference": "' + "r" * 70_000 + '"'), ""),
        (b"7", ""),
        (b"null", ""),
        (b"[]", ""),
        (b'"text"', ""),
    ],
)
@pytest.mark.parametrize("kind", [JSON, LINES])
async def test_one_bad_event_spoils_no_other(
    client: httpx.AsyncClient, kafka: Broker, bad: bytes, path: str, kind: str
) -> None:
    first, last = named(), named()
    around = [json.dumps(first).encode(), bad, json.dumps(last).encode()]
    answer = await post(client, b"[" + b",".join(around) + b"]" if kind == JSON else b"\n".join(around), kind)
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == 2
    (refused,) = answer.json()["rejected"]
    assert (refused["index"], refused["errors"][0]["path"]) == (1, path)
    assert len(await kept(kafka, first["event_id"], last["event_id"])) == 2


async def test_a_broken_line_is_refused_by_itself(client: httpx.AsyncClient) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b'\n\n{"a": "\xff"}\n{"open": \n' + json.dumps(GOOD).encode()
    answer = await post(client, body, LINES)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 2)
    assert [(each["index"], each["errors"][0]["code"]) for each in answer.json()["rejected"]] == [
        (2, "not_utf8"),
        (3, "not_json"),
    ]


async def test_none_acceptable_is_422_and_kept(client: httpx.AsyncClient, kafka: Broker) -> None:
    mark = f"mark-{uuid.uuid4()}"
    event = {**GOOD, "channel": mark[:60]}
    raw = json.dumps(event, indent=3).encode()
    answer = await post(client, raw)
    assert (answer.status_code, answer.json()["accepted"]) == (422, 0)
    letters = [each for each in await held(kafka.url, "rejected") if each["original"] == raw]
    assert [(each["code"], each["source"]) for each in letters] == [("unknown_channel", "http")]


async def test_bom_duplicate_members_and_duplicate_ids_are_taken(client: httpx.AsyncClient, kafka: Broker) -> None:
    event = named()
    raw = json.dumps(event).encode()
    answer = await post(client, b"\xef\xbb\xbf[" + raw + b"," + raw + b"]")
    assert answer.json() == {"accepted": 2, "rejected": []}
    twice = b'{"channel": "email", ' + json.dumps(named()).encode()[1:]
    assert (await post(client, twice)).status_code == 200
    assert len(await kept(kafka, event["event_id"])) == 2


async def test_an_empty_array_is_no_fault(client: httpx.AsyncClient) -> None:
    answer = await post(client, b"[]")
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "rejected": []})


async def test_the_same_idempotency_key_gives_the_same_ids(client: httpx.AsyncClient, kafka: Broker) -> None:
    customer, key = f"c-{uuid.uuid4()}", str(uuid.uuid4())
    events = [{**GOOD, "customer_id": customer}] * 3
    for _ in range(2):
        assert (await post(client, events, idempotency_key=key)).status_code == 200
    records = [each for each in await held(kafka.url, "touchpoints") if each["__key"] == customer]
    assert (len(records), len({each["event_id"] for each in records})) == (6, 3)


async def talk(running: Running, *parts: bytes) -> bytes:
    """Send bytes on a connection of its own, close our side, and return all that comes back."""
    reader, writer = await asyncio.open_connection(urlsplit(running.url).hostname, urlsplit(running.url).port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        with suppress(OSError):  # the other side may have been faster in closing
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def head(length: str) -> bytes:
    lines = (
        "POST /v1/touchpoints HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {KEY}",
        f"Content-Type: {JSON}",
        length,
    )
    return "\r\n".join((*lines, "", "")).encode()


async def test_wrong_lengths_do_no_harm(running: Running, client: httpx.AsyncClient) -> None:
    await talk(running, head("Content-Length: 500"), json.dumps(GOOD).encode())
    short = await talk(running, head("Content-Length: 10"), json.dumps(GOOD).encode())
    assert short.startswith(b"HTTP/1.1 400")
    for length in ("-1", "x", "99999999999999999999999999"):
        answer = await talk(running, head(f"Content-Length: {length}"), b"{}")
        assert not answer or answer.split(b" ", 2)[1] in {b"400", b"413"}
    assert (await post(client, GOOD)).status_code == 200


async def test_an_endless_body_is_refused_while_it_comes(running: Running) -> None:
    chunk = b"10000\r\n" + b" " * 65_536 + b"\r\n"
    host, port = urlsplit(running.url).hostname, urlsplit(running.url).port
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(head("Transfer-Encoding: chunked"))
    sent = 0
    status = asyncio.create_task(reader.readline())
    while not status.done() and sent < 64 * MEBIBYTE:
        writer.write(chunk)
        await writer.drain()
        sent += 65_536
        await asyncio.sleep(0)
    assert (await asyncio.wait_for(status, 10)).startswith(b"HTTP/1.1 413")
    assert sent < 64 * MEBIBYTE
    writer.close()


async def test_the_other_paths(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"status": "alive"}
    assert (await client.get("/readyz")).status_code == 200
    assert (await client.get("/docs")).status_code == 200
    assert (await client.get("/nowhere")).json()["error"]["code"] == "not_found"
    assert (await client.get("/v1/touchpoints")).status_code == 405
    assert (await client.get("/metrics")).status_code == 404
    cross = await client.options(
        "/v1/touchpoints", headers={"Origin": "http://a", "Access-Control-Request-Method": "POST"}
    )
    assert "access-control-allow-origin" not in cross.headers


async def test_openapi_says_what_is_taken(client: httpx.AsyncClient) -> None:
    description = (await client.get("/openapi.json")).json()
    operation = description["paths"]["/v1/touchpoints"]["post"]
    assert set(operation["responses"]) == {"200", "400", "401", "403", "408", "413", "415", "422", "429", "503"}
    body = operation["requestBody"]["content"][JSON]["schema"]["oneOf"][0]
    assert body["properties"]["attributes"]["anyOf"][0]["maxProperties"] == 50
    assert body["additionalProperties"] is False


async def test_no_write_key_is_a_wrong_setting(kafka: Broker, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="TOUCHLINE_WRITE_KEYS"):
        async with collector(kafka.url, tmp_path, write_keys=" , "):
            pass
