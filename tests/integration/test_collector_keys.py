"""Keys before a real collector and Kafka: scopes, origins, rates, and a file that changes under it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from pipeline.collector import key_file
from pipeline.collector.body import BODY_LIMIT
from pipeline.collector.gate import MOST_BYTES, SHARE
from pipeline.collector.keys import Key
from pipeline.collector.new_key import Wish, make
from tests.command import touchline
from tests.integration.collector_process import GOOD, KEY, TILLS, Broker, Running, collector, held

SHOP = "https://shop.example"
WISHES = {
    "free": Wish("free"),
    "phone": Wish("phone", channels=("phone",)),
    "segment": Wish("segment", sources=("segment",)),
    "page": Wish("page", public=True, origins=(SHOP, "http://localhost:3000")),
    "app": Wish("app", public=True, app=True),
    "slow": Wish("slow", rate=5, burst=10),
    "till": Wish("till", sources=("tills",), channels=("in_store",), rate=0.01, burst=2),
    "web": Wish("web", channels=("web",)),
    "crawling": Wish("crawling", rate=0.01, burst=10),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, tuple[str, Key]]]:
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    keys = {name: make(wish, datetime.now(UTC)) for name, wish in WISHES.items()}
    key_file.write(path, tuple(key for _, key in keys.values()))
    return path, keys


@pytest.fixture(scope="module")
async def running(kafka: Broker, made: Any, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("collector")
    (folder / "tills.toml").write_text(TILLS)
    async with collector(kafka.url, folder, keys_file=str(made[0]), channels=str(folder)) as started:
        yield started


class Sender:
    """Sends with a key."""

    def __init__(self, url: str, keys: dict[str, tuple[str, Key]]) -> None:
        self._url = url
        self._keys = keys

    async def __call__(self, key: str, *events: dict[str, Any], origin: str | None = None) -> httpx.Response:
        secret = self._keys[key][0] if key in self._keys else key
        headers = {"Authorization": f"Bearer {secret}", **({"Origin": origin} if origin else {})}
        async with httpx.AsyncClient(base_url=self._url, headers=headers) as client:
            return await client.post("/v1/touchpoints", json=list(events) or [GOOD])

    def id_of(self, key: str) -> str:
        return self._keys[key][1].id


@pytest.fixture
def send(running: Running, made: Any) -> Sender:
    return Sender(running.url, made[1])


async def metric(running: Running, line: str) -> float:
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{running.private_url}/metrics")).text
    return sum(float(each.rpartition(" ")[2]) for each in text.splitlines() if each.startswith(line + " "))


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_keys_of_the_file_and_of_the_setting_are_both_good(running: Running, send: Sender, made: Any) -> None:
    assert [(await send(key)).status_code for key in ("free", KEY)] == [200, 200]
    async with httpx.AsyncClient(base_url=running.url) as client:
        answer = await client.post("/v1/touchpoints", json=GOOD, auth=(made[1]["free"][0], ""))
    assert answer.status_code == 200


async def test_an_event_out_of_scope_is_a_dead_letter_and_the_others_are_taken(kafka: Broker, send: Sender) -> None:
    event_id = str(uuid.uuid4())
    call = {**GOOD, "channel": "phone", "touchpoint": "complaint"}
    answer = await send("phone", call, {**GOOD, "event_id": event_id})
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    (refused,) = answer.json()["rejected"]
    (error,) = refused["errors"]
    assert (refused["index"], error["code"], error["path"]) == (1, "not_allowed", "channel")
    assert "'web'" in error["message"] and "phone" in error["message"]
    (letter,) = [each for each in await held(kafka.url, "rejected") if each["event_id"] == event_id]
    assert (letter["code"], letter["source"]) == ("not_allowed", "http")
    assert (await send("phone", GOOD)).status_code == 422


async def test_a_key_for_another_source_is_403(running: Running, send: Sender) -> None:
    assert code_of(await send("segment")) == (403, "source")
    counted = f'touchline_key_requests_refused_total{{key="{send.id_of("segment")}",reason="source"}}'
    assert await metric(running, counted) == 1


async def test_a_page_may_send_from_its_origins_and_read_the_answer(send: Sender) -> None:
    for origin in (SHOP, "http://localhost:3000"):
        answer = await send("page", GOOD, origin=origin)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in answer.headers
    wrong = await send("page", {**GOOD, "channel": "phone", "touchpoint": "complaint"}, origin=SHOP)
    assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (422, SHOP)


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", "https://shop.example.evil"])
async def test_a_public_key_from_elsewhere_is_403(send: Sender, origin: str | None) -> None:
    answer = await send("page", GOOD, origin=origin)
    assert code_of(answer) == (403, "origin")
    assert "access-control-allow-origin" not in answer.headers


async def test_an_app_sends_without_an_origin(send: Sender) -> None:
    assert (await send("app")).status_code == 200
    assert code_of(await send("app", GOOD, origin=SHOP)) == (403, "origin")


async def asked_before(running: Running, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=running.url) as client:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.options("/v1/touchpoints", headers=sent)


async def test_a_preflight_is_answered_for_origins_of_keys_only(running: Running) -> None:
    asked = {"access_control_request_method": "POST", "access_control_request_headers": "authorization,content-type"}
    good = await asked_before(running, origin=SHOP, **asked)
    assert (good.status_code, good.headers["access-control-allow-origin"]) == (204, SHOP)
    assert good.headers["access-control-allow-methods"] == "POST"
    allowed = good.headers["access-control-allow-headers"].lower().split(", ")
    assert {"authorization", "content-type", "content-encoding", "idempotency-key"} == set(allowed)
    assert "access-control-allow-credentials" not in good.headers
    bad = await asked_before(running, origin="https://evil.example", **asked)
    assert code_of(bad) == (403, "origin")
    assert "access-control-allow-origin" not in bad.headers
    assert [each.headers["vary"] for each in (good, bad)] == ["Origin", "Origin"]
    plain = await asked_before(running)
    assert (plain.status_code, plain.headers["allow"]) == (204, "POST, OPTIONS")


async def test_too_many_events_are_429_and_other_keys_go_on(running: Running, send: Sender) -> None:
    """A hundred seconds an event: after a burst of 10, forty more need a full bucket."""
    assert (await send("crawling", *[GOOD] * 10)).status_code == 200
    answer = await send("crawling", *[GOOD] * 40)
    assert code_of(answer) == (429, "rate")
    assert 900 <= int(answer.headers["retry-after"]) <= 1_000
    assert (await send("free", *[GOOD] * 40)).status_code == 200
    counted = f'touchline_key_requests_refused_total{{key="{send.id_of("crawling")}",reason="rate"}}'
    assert await metric(running, counted) == 1
    assert await metric(running, 'touchline_requests_refused_total{reason="rate"}') >= 1


async def test_what_was_429_fits_later_also_when_it_is_more_than_the_burst(send: Sender) -> None:
    assert (await send("slow", *[GOOD] * 10)).status_code == 200
    async with asyncio.timeout(20):
        while (answer := await send("slow", *[GOOD] * 40)).status_code == 429:
            assert 1 <= int(answer.headers["retry-after"]) <= 2
            await asyncio.sleep(0.05)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 40)


async def test_a_webhook_that_shows_a_key_is_held_to_its_scopes_and_rate(
    running: Running, kafka: Broker, made: Any
) -> None:
    sale = {"kind": "sale", "ticket": str(uuid.uuid4()), "card": "C-7", "at": 1_772_366_400}

    async def send(key: str, **headers: str) -> httpx.Response:
        auth = {"Authorization": f"Bearer {made[1][key][0]}", **headers}
        async with httpx.AsyncClient(base_url=running.url, headers=auth) as client:
            return await client.post("/v1/webhooks/tills", json=sale)

    for _ in range(2):
        assert (await send("till")).json()["accepted"] == 1
    assert code_of(await send("till")) == (429, "rate")
    assert code_of(await send("segment")) == (403, "source")
    assert code_of(await send("page", Origin=SHOP)) == (403, "key_public")
    (refused,) = (await send("web")).json()["rejected"]
    assert refused["errors"][0]["code"] == "not_allowed"
    letters = [each for each in await held(kafka.url, "rejected") if each["source"] == "tills"]
    assert [each["code"] for each in letters] == ["not_allowed"]
    counted = f'touchline_key_requests_refused_total{{key="{made[1]["till"][1].id}",reason="rate"}}'
    assert await metric(running, counted) == 1


async def answered(send: Sender, key: str, status: int) -> None:
    async with asyncio.timeout(20):
        while (await send(key)).status_code != status:
            await asyncio.sleep(0.05)


async def test_keys_come_and_go_while_a_collector_runs(kafka: Broker, tmp_path: Path) -> None:
    """It starts without any, takes up what the commands do, and keeps its keys when the file is broken."""
    path = tmp_path / "keys.json"
    setting = {"TOUCHLINE_KEYS_FILE": str(path)}
    async with collector(kafka.url, tmp_path, write_keys="", keys_file=str(path)) as running:
        created = (await touchline("keys", "create", "--name", "one", "--json", **setting)).json()
        other = (await touchline("keys", "create", "--name", "two", "--json", **setting)).json()
        send = Sender(running.url, {})
        await answered(send, created["key"], 200)
        assert (await touchline("keys", "revoke", created["id"], **setting)).status == 0
        await answered(send, created["key"], 401)
        assert code_of(await send(created["key"])) == (401, "key_revoked")
        assert (await send(other["key"])).status_code == 200
        path.write_text("{")
        async with asyncio.timeout(20):
            while not await metric(running, "touchline_keys_file_broken"):
                assert (await send(other["key"])).status_code == 200
                await asyncio.sleep(0.05)
        assert "not a file of keys" in running.child.tail(5)
        assert await metric(running, "touchline_keys") == 1


async def hang(running: Running, secret: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Begin a request of 4 MiB and leave its last byte out, so that it stays in flight, unless it is refused."""
    address = urlsplit(running.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    lines = (
        "POST /v1/touchpoints HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {secret}",
        "Content-Type: application/json",
        f"Content-Length: {BODY_LIMIT}",
    )
    writer.write("\r\n".join((*lines, "", "")).encode())
    writer.write(b" " * (BODY_LIMIT - 1))
    with suppress(ConnectionError):
        await writer.drain()
    return reader, writer


async def test_a_flood_of_one_key_leaves_room_for_another(running: Running, made: Any, send: Sender) -> None:
    """Twenty bodies that never end fill what one key may hold; the others are refused, and another key goes on."""
    flood = [await hang(running, made[1]["free"][0]) for _ in range(20)]
    refused = [asyncio.create_task(reader.readline()) for reader, _ in flood]
    async with asyncio.timeout(20):
        while (held_bytes := await metric(running, "touchline_body_bytes_in_flight")) < MOST_BYTES * 0.7:
            await asyncio.sleep(0.05)
        await asyncio.wait(refused, return_when=asyncio.FIRST_COMPLETED)
    assert held_bytes <= MOST_BYTES * SHARE / (1 + SHARE)
    large = [{**GOOD, "attributes": {f"n{number}": "x" * 1_000 for number in range(40)}}] * 90
    assert (await send(KEY, *large)).status_code == 200
    assert any(each.done() and each.result().startswith(b"HTTP/1.1 429") for each in refused)
    for _, writer in flood:
        writer.close()
    await asyncio.gather(*refused, return_exceptions=True)
    async with asyncio.timeout(20):
        while await metric(running, "touchline_body_bytes_in_flight"):
            await asyncio.sleep(0.05)


async def test_a_page_may_send_what_segments_library_sends_and_nothing_else_of_it(
    running: Running, kafka: Broker, made: Any
) -> None:
    customer = f"c-{uuid.uuid4()}"
    moment = {"type": "track", "userId": customer, "timestamp": "2026-03-01T12:00:00Z"}
    calls = [{**moment, "event": event, "messageId": str(uuid.uuid4())} for event in ("Product Added", "Email Opened")]
    body = {"batch": calls, "writeKey": made[1]["page"][0]}
    async with httpx.AsyncClient(base_url=running.url, headers={"Content-Type": "text/plain"}) as client:
        answer = await client.post("/v1/b", json=body, headers={"Origin": SHOP})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, SHOP)
        elsewhere = await client.post("/v1/b", json=body, headers={"Origin": "https://evil.example"})
        assert code_of(elsewhere) == (403, "origin")
        asked = await client.options("/v1/t", headers={"Origin": SHOP, "Access-Control-Request-Method": "POST"})
        assert (asked.status_code, asked.headers["access-control-allow-origin"]) == (204, SHOP)
    found = [each for each in await held(kafka.url, "touchpoints") if each["customer_id"] == customer]
    assert [each["touchpoint"] for each in found] == ["cart_add"]
