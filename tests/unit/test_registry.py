"""Our client and the registry for tests, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from pipeline.errors import ConfigurationError, UnavailableError
from pipeline.local.registry import SchemaRegistry
from pipeline.registry import Registry, reading_ids, schema_ids, schema_ids_at_last
from pipeline.settings import Settings
from schemas.codec import Decoder, Encoder
from schemas.contracts import SUBJECTS, Avro, latest
from schemas.ids import LocalIds
from tests.command import touchline
from tests.evolution import Writer, add_version, evolved, without
from tests.reference import touchpoint

SUBJECT = "touchpoints-value"
V1 = latest("touchpoints").schema


@pytest.fixture
async def registry() -> AsyncIterator[SchemaRegistry]:
    async with SchemaRegistry() as registry:
        yield registry


def settings(registry: SchemaRegistry, **more: object) -> Settings:
    return Settings(**{"schema_registry_url": registry.url, **more})


async def said(method: str, url: str, schema: Avro | str | None = None) -> tuple[int, int]:
    """The status and the error code of an answer."""
    given = None if schema is None else {"schema": schema if isinstance(schema, str) else json.dumps(schema)}
    async with httpx.AsyncClient() as client:
        answer = await client.request(method, url, json=given)
    return answer.status_code, answer.json().get("error_code", 0)


async def test_the_registry_for_tests_answers_with_confluents_codes(registry):
    subject = f"{registry.url}/subjects/{SUBJECT}"
    assert await said("GET", f"{subject}/versions/latest") == (404, 40401)
    assert await said("POST", subject, V1) == (404, 40401)
    assert await said("POST", f"{subject}/versions", V1) == (200, 0)
    assert await said("POST", subject, V1) == (200, 0)
    assert await said("POST", subject, evolved()) == (404, 40403)
    assert await said("GET", f"{subject}/versions/2") == (404, 40402)
    assert await said("GET", f"{subject}/versions/latest") == (200, 0)
    assert await said("GET", f"{registry.url}/schemas/ids/1") == (200, 0)
    assert await said("GET", f"{registry.url}/schemas/ids/2") == (404, 40403)
    assert await said("POST", f"{subject}/versions", without("channel")) == (409, 409)
    assert await said("POST", f"{subject}/versions", "{") == (422, 42201)
    assert await said("POST", f"{subject}/versions", {"type": "record"}) == (422, 42201)
    compatibility = f"{registry.url}/compatibility/subjects/{SUBJECT}/versions/latest"
    assert await said("POST", compatibility, without("channel")) == (200, 0)
    assert await said("POST", f"{registry.url}/compatibility/subjects/x/versions/latest", V1) == (404, 40401)


async def test_every_contract_is_registered_once_under_its_topic(registry):
    ids = await schema_ids(settings(registry))
    first = {subject: ids.own(subject) for subject in SUBJECTS}
    assert len(set(first.values())) == len(SUBJECTS)
    again = await schema_ids(settings(registry))
    assert {subject: again.own(subject) for subject in SUBJECTS} == first
    for subject in SUBJECTS:
        assert registry.asked[f"POST /subjects/{subject}-value/versions"] == 1
        assert registry.store.version(f"{subject}-value", "latest")["id"] == first[subject]


async def test_what_one_process_writes_another_reads(registry):
    written = Encoder("touchpoints", await schema_ids(settings(registry)))(touchpoint(1))
    ids = reading_ids(settings(registry))
    decode = Decoder("touchpoints", ids)
    await ids.meet("touchpoints", [written])
    assert decode(written) == touchpoint(1)


async def test_a_newer_version_registered_later_is_read_at_once(registry):
    ids = await schema_ids(settings(registry))
    newer = registry.store.register(SUBJECT, json.dumps(evolved()))
    value = Writer(evolved(), newer)({**touchpoint(1), "mood": "grim"})
    await ids.meet("touchpoints", [value] * 3)
    await ids.meet("touchpoints", [value])
    assert Decoder("touchpoints", ids)(value) == touchpoint(1)
    assert registry.asked[f"GET /schemas/ids/{newer}"] == 1


async def test_an_incompatible_contract_stops_the_start_and_says_why(registry):
    registry.store.register(SUBJECT, json.dumps(without("channel")))
    with pytest.raises(ConfigurationError, match=r"refused.*touchpoints-value.*channel was added without a default"):
        await schema_ids(settings(registry))


async def test_out_of_reach_is_waited_for_or_said(registry):
    where = settings(registry)
    known = Registry.of(where)
    schema_id = await known.register(SUBJECT, V1)
    await registry.go_away()
    with pytest.raises(UnavailableError, match="did not answer"):
        await schema_ids(where)
    with pytest.raises(UnavailableError, match="did not answer"):
        await known.schema(schema_id)
    waiting = asyncio.create_task(schema_ids_at_last(where))
    await registry.come_back()
    assert (await waiting).own("touchpoints") == schema_id
    assert await known.schema(schema_id) == V1
    assert await known.schema(99) is None


@pytest.mark.parametrize(
    ("user_info", "more"),
    [("u%40x:p%2Fw@", {}), ("", {"schema_registry_user": "u@x", "schema_registry_password": "p/w"})],
)
async def test_a_user_may_stand_in_the_url_or_beside_it(user_info, more):
    async with SchemaRegistry(user="u@x", password="p/w") as registry:
        url = registry.url.replace("://", f"://{user_info}")
        assert (await schema_ids(Settings(schema_registry_url=url, **more))).own("risk") > 0
        with pytest.raises(ConfigurationError, match="refused our credentials") as caught:
            await schema_ids(Settings(schema_registry_url=registry.url.replace("://", "://u:secret@")))
        assert "secret" not in str(caught.value)
        with pytest.raises(UnavailableError, match="401"):
            await Registry(registry.url).schema(1)


@pytest.mark.parametrize("url", ["localhost:8081", "ftp://host", "http://", "registry"])
async def test_a_url_of_no_use_is_a_wrong_setting(url):
    with pytest.raises(ConfigurationError, match="TOUCHLINE_SCHEMA_REGISTRY_URL"):
        await schema_ids(Settings(schema_registry_url=url))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of our own for 127.0.0.1, its key beside it."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not there to make a certificate")
    words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=registry -addext subjectAltName=IP:127.0.0.1"
    made = tmp_path / "registry.pem"
    subprocess.run(
        ["openssl", *words.split(), "-out", str(made), "-keyout", str(made) + ".key"], check=True, capture_output=True
    )
    return made


async def test_tls_is_spoken_to_those_we_trust_only(certificate):
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, f"{certificate}.key")
    async with SchemaRegistry(tls=tls) as registry:
        assert registry.url.startswith("https://")
        assert (await schema_ids(settings(registry, schema_registry_ca=certificate))).own("risk") > 0
        with pytest.raises(UnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
            await schema_ids(settings(registry))
    with pytest.raises(ConfigurationError, match="TOUCHLINE_SCHEMA_REGISTRY_CA"):
        await schema_ids(settings(registry, schema_registry_ca=certificate.with_name("none.pem")))


STRANGE = {
    "another 404": web.json_response({"error_code": 404, "message": "HTTP 404 Not Found"}, status=404),
    "a page": web.Response(text="<h1>Welcome</h1>"),
    "a page not found": web.Response(text="<h1>Oops</h1>", status=404),
    "overload": web.json_response({"error_code": 42900}, status=429),
    "a fault": web.json_response({"error_code": 50001}, status=500),
    "no schema": web.json_response({"id": 1}),
    "half a schema": web.json_response({"schema": "{"}),
    "a list": web.json_response([]),
}


@pytest.mark.parametrize("name", STRANGE)
async def test_only_not_found_means_not_found(name, unused_tcp_port):
    """Whatever else is answered must hold the partition, never refuse a record."""

    async def answer(_: web.Request) -> web.StreamResponse:
        given = STRANGE[name]
        return web.Response(body=given.body, status=given.status, content_type=given.content_type)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    try:
        with pytest.raises(UnavailableError):
            await Registry(f"http://127.0.0.1:{unused_tcp_port}").schema(1)
    finally:
        await runner.cleanup()


async def test_without_a_url_the_ids_are_local_and_the_folder_counts(tmp_path):
    ids = await schema_ids(Settings(schemas=tmp_path))
    assert isinstance(ids, LocalIds)
    assert ids.own("touchpoints") == 1_001
    add_version(tmp_path, evolved())
    assert ids.reading("touchpoints", 1_002).surplus == ("mood",)


async def test_the_settings_are_shown_without_their_secrets():
    secrets = {
        "TOUCHLINE_SCHEMA_REGISTRY_URL": "https://user:hushhush@registry:8081/api",
        "TOUCHLINE_SCHEMA_REGISTRY_PASSWORD": "hushhush",
    }
    shown = await touchline("config", "--json", **secrets)
    assert shown.status == 0
    assert "hushhush" not in shown.output
    assert "https://***@registry:8081/api" in shown.output
