"""Senders that keep to a convention, into a real Kafka: Segment's libraries, CloudEvents, Standard Webhooks."""

from __future__ import annotations

import base64
import hmac
import json
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from pipeline.channels.envelope import Incoming
from tests.channels.known import now, sources
from tests.channels.signing import signer
from tests.integration.collector_process import KEY, Broker, Running, collector, held

ZOOM = "zoom-secret"
META = "verify-me"
PARTNER = signer(sources()["touchline"].mapping.signature)
BASIC = {"Authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
BEARER = {"Authorization": f"Bearer {KEY}"}


@pytest.fixture(scope="module")
async def running(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    secrets = {"zoom": ZOOM, "meta": "app-secret", "meta_verify": META, "touchline": PARTNER.secret}
    settings = {f"webhook_secrets__{name}": secret for name, secret in secrets.items()}
    async with collector(kafka.url, tmp_path_factory.mktemp("collector"), **settings) as started:
        yield started


@pytest.fixture(scope="module")
async def client(running: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=running.url, timeout=30) as http:
        yield http


async def of(kafka: Broker, customer: str) -> list[dict[str, Any]]:
    """What Kafka holds of a customer, in the order of time."""
    found = [each for each in await held(kafka.url, "touchpoints") if each["customer_id"] == customer]
    return sorted(found, key=lambda each: (each["occurred_at"], each["touchpoint"]))


def someone() -> str:
    return f"c-{uuid.uuid4()}"


def tracked(customer: str, event: str, **more: Any) -> dict[str, Any]:
    moment = {"messageId": str(uuid.uuid4()), "timestamp": "2026-03-01T12:00:00Z"}
    return {"type": "track", "userId": customer, "event": event, **moment, **more}


async def test_a_segment_batch_counts_once_however_often_it_is_sent(client: httpx.AsyncClient, kafka: Broker) -> None:
    customer = someone()
    order = tracked(customer, "Order Completed", properties={"total": 19.5, "currency": "EUR", "order_id": "#7"})
    page = {**tracked(customer, ""), "type": "page", "name": "Home", "timestamp": "2026-03-01T11:59:00Z"}
    link = {**tracked(customer, ""), "type": "identify", "anonymousId": "device-7", "timestamp": "2026-03-01T12:01:00Z"}
    for _ in range(2):
        answer = await client.post("/v1/batch", json={"batch": [order, page, link]}, headers=BASIC)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    found = await of(kafka, customer)
    assert len(found) == 6
    assert len({each["event_id"] for each in found}) == 3
    assert [each["touchpoint"] for each in found[::2]] == ["page_view", "purchase", "x_identify"]
    assert (found[2]["value"], found[2]["reference"], found[4]["anonymous_id"]) == (19.5, "#7", "device-7")


@pytest.mark.parametrize(
    ("path", "touchpoint"),
    [
        ("track", "x_song_played"),
        ("t", "x_song_played"),
        ("page", "page_view"),
        ("p", "page_view"),
        ("screen", "screen_view"),
        ("s", "screen_view"),
        ("identify", "x_identify"),
        ("i", "x_identify"),
        ("alias", "x_identify"),
        ("a", "x_identify"),
    ],
)
async def test_a_segment_call_has_its_type_in_the_path_and_its_key_in_a_plain_body(
    client: httpx.AsyncClient, kafka: Broker, path: str, touchpoint: str
) -> None:
    customer = someone()
    call = {"userId": customer, "event": "Song Played", "anonymousId": "device-7", "previousId": "device-6"}
    body = json.dumps({**call, "writeKey": KEY, "messageId": str(uuid.uuid4())})
    answer = await client.post(f"/v1/{path}", content=body, headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    [found] = await of(kafka, customer)
    assert (found["touchpoint"], found["source"]) == (touchpoint, "segment")
    assert abs(found["occurred_at"] - found["received_at"]) < 1_000


@pytest.mark.parametrize("path", ["group", "g", "batch", "b", "import", "import/"])
async def test_calls_that_hold_nothing_for_us_are_no_fault(client: httpx.AsyncClient, path: str) -> None:
    body = {"batch": [{"type": "group", "userId": "c-1", "groupId": "g"}]}
    answer = await client.post(f"/v1/{path}", json=body, headers=BASIC)
    assert (answer.status_code, answer.json()) == (200, {"success": True})


async def test_what_segment_sends_and_is_refused_is_kept_without_the_key(
    client: httpx.AsyncClient, kafka: Broker
) -> None:
    message = str(uuid.uuid4())
    call = {"event": "Song Played", "messageId": message, "writeKey": KEY}
    answer = await client.post("/v1/track", content=json.dumps(call), headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    [letter] = [each for each in await held(kafka.url, "rejected") if message.encode() in each["original"]]
    assert (letter["source"], letter["code"], letter["path"]) == ("segment", "missing", "item.userId")
    assert KEY.encode() not in letter["original"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, {"userId": "c-1", "event": "A"}),
        ({}, {"userId": "c-1", "event": "A", "writeKey": "wk_forged"}),
        ({"Authorization": "Basic " + base64.b64encode(b"wk_forged:").decode()}, {"userId": "c-1", "event": "A"}),
    ],
)
async def test_segment_without_a_key_that_is_known(
    client: httpx.AsyncClient, headers: dict[str, str], body: dict[str, Any]
) -> None:
    answer = await client.post("/v1/track", json=body, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] in {"key_missing", "key_unknown"}


async def test_cloudevents_structured_in_a_batch_and_binary(client: httpx.AsyncClient, kafka: Broker) -> None:
    customer = someone()
    event = {"specversion": "1.0", "type": "com.example.tea", "source": "/kitchen", "time": "2026-03-01T12:00:00Z"}
    data = {"customer_id": customer, "channel": "in_store", "attributes": {"cup": "blue"}}

    def numbered(number: int) -> dict[str, Any]:
        return {**event, "id": f"{customer}-{number}", "data": data}

    single = {**BEARER, "Content-Type": "application/cloudevents+json; charset=utf-8"}
    several = {**BEARER, "Content-Type": "application/cloudevents-batch+json"}
    binary = {**BEARER, "ce-id": f"{customer}-4", **{f"ce-{name}": value for name, value in event.items()}}
    answers = [
        await client.post("/v1/events", json=numbered(1), headers=single),
        await client.post("/v1/events", json=[numbered(1), numbered(2), numbered(3)], headers=several),
        await client.post("/v1/events", json=data, headers=binary),
    ]
    assert [(each.status_code, each.json()["accepted"]) for each in answers] == [(200, 1), (200, 3), (200, 1)]
    found = await of(kafka, customer)
    assert len({each["event_id"] for each in found}) == 4
    assert {(each["source"], each["touchpoint"]) for each in found} == {("cloudevents", "x_com_example_tea")}
    assert all(each["attributes"] == {"cup": "blue"} for each in found)


async def test_what_is_no_cloudevent_says_so(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/events", json={"customer_id": "c-1"}, headers=BEARER)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_cloudevents")
    assert (await client.post("/v1/events", json={})).status_code == 401


async def test_a_cloudevent_that_lacks_something_is_refused_by_its_path(client: httpx.AsyncClient) -> None:
    event = {"specversion": "1.0", "type": "a", "source": "/b", "id": someone(), "time": "2026-03-01T12:00:00Z"}
    headers = {**BEARER, "Content-Type": "application/cloudevents+json"}
    answer = await client.post("/v1/events", json={**event, "data": {"customer_id": "c-1"}}, headers=headers)
    assert answer.status_code == 422
    [refused] = answer.json()["rejected"]
    assert (refused["errors"][0]["code"], refused["errors"][0]["path"]) == ("missing", "item.data.channel")


async def test_standard_webhooks_of_a_partner_count_once_by_their_id(client: httpx.AsyncClient, kafka: Broker) -> None:
    customer = someone()
    body = {"customer_id": customer, "channel": "phone", "touchpoint": "inquiry", "occurred_at": "2026-03-01T12:00:00Z"}
    request = Incoming(json.dumps(body).encode(), {"webhook-id": f"msg_{uuid.uuid4().hex}"})
    for _ in range(2):
        signed = PARTNER.sign(request, now())
        answer = await client.post("/v1/webhooks/touchline", content=signed.body, headers=dict(signed.headers))
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    found = await of(kafka, customer)
    assert (len(found), len({each["event_id"] for each in found})) == (2, 1)
    forged = await client.post(
        "/v1/webhooks/touchline", content=b"{}", headers=dict(PARTNER.sign(request, now()).headers)
    )
    assert (forged.status_code, forged.json()["error"]["code"]) == (401, "signature_wrong")


def zoomed(body: bytes, secret: str = ZOOM) -> dict[str, str]:
    stamp = str(int(time.time()))
    proof = hmac.digest(secret.encode(), f"v0:{stamp}:".encode() + body, "sha256").hex()
    return {"x-zm-request-timestamp": stamp, "x-zm-signature": f"v0={proof}", "Content-Type": "application/json"}


async def test_zooms_challenge_is_answered_only_when_zoom_signed_it(client: httpx.AsyncClient) -> None:
    payload = {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}
    body = json.dumps({"event": "endpoint.url_validation", "event_ts": 1_772_366_400_000, "payload": payload}).encode()
    answer = await client.post("/v1/webhooks/zoom", content=body, headers=zoomed(body))
    encrypted = hmac.digest(ZOOM.encode(), b"qgg8vlvZRS6UYooatFL8Aw", "sha256").hex()
    assert (answer.status_code, answer.json()) == (200, {**payload, "encryptedToken": encrypted})
    for headers in ({}, zoomed(body, "forged")):
        assert (await client.post("/v1/webhooks/zoom", content=body, headers=headers)).status_code == 401


async def test_metas_challenge_wants_the_token_that_was_agreed(client: httpx.AsyncClient) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": META}
    answer = await client.get("/v1/webhooks/meta", params=asked)
    assert (answer.status_code, answer.text) == (200, "1158201444")
    wrong = await client.get("/v1/webhooks/meta", params={**asked, "hub.verify_token": "guessed"})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (401, "challenge_token")


async def test_openapi_describes_the_calls_by_their_long_names(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert {"/v1/events", "/v1/batch", "/v1/track", "/v1/page", "/v1/screen", "/v1/identify", "/v1/alias"} <= set(paths)
    assert "/v1/t" not in paths
    assert paths["/v1/batch"]["post"]["security"] == [{"WriteKey": []}, {"WriteKeyAsUser": []}]
