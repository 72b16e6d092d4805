"""Every source over real HTTP into a real Kafka: signed as its vendor signs, forged, sent again, and spoiled."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from pipeline.channels.applied import apply
from pipeline.channels.envelope import Incoming
from pipeline.channels.fixture import Fixture
from tests.channels.known import all_examples, examples, now, sources
from tests.channels.signing import Signer, signer
from tests.integration.collector_process import KEY, Broker, Running, collector, held

SIGNERS = {
    name: signer(source.mapping.signature)
    for name, source in sources().items()
    if source.mapping.signature.scheme != "write_key"
}
EVERY_EXAMPLE = pytest.mark.parametrize(
    ("name", "example"), all_examples(), ids=lambda each: getattr(each, "name", each)
)
PUBLIC = "https://collector.example"
SHOPIFY = SIGNERS["shopify"]


@dataclass
class World:
    """A collector in which every source is on."""

    kafka: Broker
    running: Running
    client: httpx.AsyncClient

    async def send(self, name: str, request: Incoming, vendor: Signer | None) -> httpx.Response:
        """Send a request, signed by `vendor`, or with a write key."""
        path = f"/v1/webhooks/{name}"
        query = httpx.QueryParams(dict(request.query))
        url = PUBLIC + path + (f"?{query}" if request.query else "")
        addressed = Incoming(request.body, request.headers, request.query, url)
        signed = vendor.sign(addressed, now()) if vendor else addressed
        headers = dict(signed.headers) if vendor else {**signed.headers, "authorization": f"Bearer {KEY}"}
        return await self.client.post(path, params=query, content=signed.body, headers=headers)


@pytest.fixture(scope="module")
async def world(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    folder: Path = tmp_path_factory.mktemp("webhooks")
    secrets = {f"webhook_secrets__{name}": vendor.secret for name, vendor in SIGNERS.items()}
    async with (
        collector(kafka.url, folder / "collector", public_url=PUBLIC, **secrets) as running,
        httpx.AsyncClient(base_url=running.url, timeout=30) as client,
    ):
        yield World(kafka, running, client)


@EVERY_EXAMPLE
async def test_an_example_is_taken(world: World, name: str, example: Fixture) -> None:
    answer = await world.send(name, example.incoming(), SIGNERS.get(name))
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == len(example.gives), answer.text
    assert answer.json()["rejected"] == []


@pytest.mark.parametrize("name", sorted(SIGNERS))
async def test_a_forged_request_is_not_believed(world: World, name: str) -> None:
    stranger = signer(sources()[name].mapping.signature)
    answer = await world.send(name, examples(name)[0].incoming(), stranger)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "signature_wrong")


async def test_touchpoints_are_in_kafka_and_a_redelivery_has_the_same_ids(world: World) -> None:
    example = next(each for each in examples("shopify") if each.event == "orders/create")
    request = Incoming(example.incoming().body, {**example.incoming().headers, "x-shopify-event-id": str(uuid.uuid4())})
    for _ in range(2):
        assert (await world.send("shopify", request, SHOPIFY)).json()["accepted"] == 1
    [wanted] = apply(sources()["shopify"], request).touchpoints
    found = [
        each for each in await held(world.kafka.url, "touchpoints") if each["event_id"] == wanted.event["event_id"]
    ]
    assert len(found) == 2
    assert {each["source"] for each in found} == {"shopify"}


async def test_what_a_payload_lacks_is_kept_with_its_path_and_answered_200(world: World) -> None:
    example = next(each for each in examples("shopify") if each.event == "orders/create")
    body = {**example.body, "created_at": None}
    answer = await world.send("shopify", example.incoming(body), SHOPIFY)
    assert answer.status_code == 200
    [refused] = answer.json()["rejected"]
    assert (refused["errors"][0]["code"], refused["errors"][0]["path"]) == ("missing", "body.created_at")
    [letter] = [each for each in await held(world.kafka.url, "rejected") if each["event_id"] == refused["event_id"]]
    assert (letter["source"], letter["code"], letter["path"]) == ("shopify", "missing", "body.created_at")
    assert json.loads(json.loads(letter["original"])["body"])["created_at"] is None


async def test_unknown_events_are_ignored_and_counted(world: World) -> None:
    example = examples("shopify")[0].incoming()
    request = Incoming(example.body, {**example.headers, "x-shopify-topic": "themes/publish"})
    answer = await world.send("shopify", request, SHOPIFY)
    assert answer.json() == {"accepted": 0, "rejected": [], "ignored": 1}
    metrics = (await world.client.get(f"{world.running.private_url}/metrics")).text
    assert 'touchline_webhook_events_ignored_total{reason="unknown",source="shopify"}' in metrics


async def test_what_is_no_json_is_refused_as_a_whole(world: World) -> None:
    answer = await world.send("shopify", Incoming(b"{", examples("shopify")[0].incoming().headers), SHOPIFY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "not_json")


async def test_unknown_sources_are_not_found(world: World) -> None:
    answer = await world.client.post("/v1/webhooks/nobody", content=b"{}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "source_unknown")


async def test_a_get_is_only_for_challenges(world: World) -> None:
    answer = await world.client.get("/v1/webhooks/shopify")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "no_challenge")


async def test_a_vendor_may_look_before_it_sends(world: World) -> None:
    answer = await world.client.head("/v1/webhooks/intercom")
    assert (answer.status_code, answer.content) == (200, b"")
    assert (await world.client.head("/v1/webhooks/nobody")).status_code == 404


async def test_a_source_without_a_secret_is_off(world: World, tmp_path: Path) -> None:
    async with (
        collector(world.kafka.url, tmp_path / "collector") as running,
        httpx.AsyncClient(base_url=running.url, timeout=30) as client,
    ):
        answer = await client.post("/v1/webhooks/shopify", content=b"{}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "source_off")
        assert "TOUCHLINE_WEBHOOK_SECRETS__SHOPIFY" in answer.json()["error"]["message"]


async def test_your_own_mapping_is_taken_and_wins_over_a_shipped_one(world: World, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "till.toml").write_text(OWN)
    body = {"ticket": 7, "card": "C-7", "at": "2026-03-01T12:00:00Z", "total": "12,50"}
    async with (
        collector(
            world.kafka.url, tmp_path / "collector", channels=str(tmp_path / "own"), webhook_secrets__till="t0ken"
        ) as running,
        httpx.AsyncClient(base_url=running.url, timeout=30) as client,
    ):
        post = "/v1/webhooks/till"
        refused = await client.post(post, json=body, headers={"x-token": "t0ken"})
        assert refused.json()["rejected"][0]["errors"][0]["path"] == "body.total"
        taken = await client.post(post, json={**body, "total": "12.50"}, headers={"x-token": "t0ken"})
        assert taken.json() == {"accepted": 1, "rejected": [], "ignored": 0}
        assert (await client.post(post, json=body, headers={"x-token": "token"})).status_code == 401


OWN = """
title = "Our tills"
about = "Sales"
documentation = "https://intranet.example/tills"
[request]
id = "body.ticket"
[signature]
scheme = "token"
header = "x-token"
[[touchpoints]]
channel = "in_store"
touchpoint = "purchase"
customer_id = "body.card"
occurred_at = "body.at"
value = "body.total"
currency = "'EUR'"
"""
