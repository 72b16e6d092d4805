"""Short links of a collector process before a real Kafka: where they lead, what they record, and of whom."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.command import touchline
from tests.integration.collector_process import Broker, Running, collector, held

KEY = "the-key-of-these-links"
LINKS = """
[links.spring]
target = "https://shop.example/spring?from=mail#top"
campaign = "spring-sale"
partner = "post"
attributes = { place = "footer" }

[links.poster]
target = "http://shop.example:8080"
kind = "qr"
pass_query = true

[links.winter]
target = "https://shop.example/winter"
expires = 2020-03-01T00:00:00Z
"""
TARGET = "https://shop.example/spring?from=mail#top"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("links") / "links.toml"
    path.write_text(LINKS)
    return path


@pytest.fixture(scope="module")
async def running(kafka: Broker, registry: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder = tmp_path_factory.mktemp("collector")
    async with collector(kafka.url, folder, links=str(registry), link_key=KEY, link_wait_ms="20000") as started:
        yield started


async def follow(running: Running, path: str, method: str = "GET", **headers: str) -> httpx.Response:
    """Ask for a path, without a cookie but the one given."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(base_url=running.url, timeout=30) as client:
        return await client.request(method, path, headers=sent)


async def clicks(
    kafka: Broker, anonymous_id: str | None = None, customer_id: str | None = None
) -> list[dict[str, Any]]:
    records = await held(kafka.url, "touchpoints")
    if anonymous_id is not None:
        return [each for each in records if each["anonymous_id"] == anonymous_id]
    return [each for each in records if each["customer_id"] == customer_id]


async def counted(running: Running, wanted: str) -> float:
    """The value of a metric, written as Prometheus shows it."""
    async with httpx.AsyncClient() as http:
        text = (await http.get(f"{running.private_url}/metrics")).text
    (line,) = [line for line in text.splitlines() if line.startswith(wanted + " ")]
    return float(line.rpartition(" ")[2])


async def until_counted(running: Running, wanted: str, condition: Callable[[float], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition(await counted(running, wanted)):
            await asyncio.sleep(0.02)


async def address(code: str, customer: str, registry: Path) -> str:
    """Path and query of a customer's link, as the command makes it."""
    settings = {"TOUCHLINE_LINKS": str(registry), "TOUCHLINE_LINK_KEY": KEY}
    answer = await touchline("links", "url", code, "--customer", customer, **settings)
    assert answer.status == 0, answer.errors
    split = urlsplit(answer.output.strip())
    return f"{split.path}?{split.query}"


def fresh() -> str:
    return uuid.uuid4().hex


async def test_a_click(running: Running, kafka: Broker) -> None:
    answer = await follow(running, "/l/spring?c=&to=//evil.example", user_agent="Mozilla/5.0 Firefox/133.0")
    assert (answer.status_code, answer.headers["location"], answer.content) == (302, TARGET, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "strict-origin"
    given = answer.cookies["tl_id"]
    (click,) = await clicks(kafka, given)
    assert click["__key"] == f"anon:{given}"
    assert (click["channel"], click["touchpoint"], click["source"]) == ("link", "link_click", "link")
    assert (click["campaign"], click["partner"], click["stage"]) == ("spring-sale", "post", "awareness")
    assert click["attributes"] == {
        "place": "footer",
        "link": "spring",
        "target_host": "shop.example",
        "browser": "firefox",
    }
    assert "127.0.0.1" not in json.dumps({**click, "attributes": {}}, default=str)


async def test_a_browser_is_known_again(running: Running, kafka: Broker) -> None:
    given = fresh()
    for path in ("/l/spring", "/l/poster"):
        answer = await follow(running, path, cookie=f"tl_id={given}")
        assert "set-cookie" not in answer.headers
    found = await clicks(kafka, given)
    assert {each["touchpoint"] for each in found} == {"link_click", "qr_scan"}
    assert len({each["event_id"] for each in found}) == 2


async def test_https_is_known_from_the_proxy_before_it(running: Running) -> None:
    assert "Secure" not in (await follow(running, "/l/spring")).headers["set-cookie"]
    assert "Secure" in (await follow(running, "/l/spring", x_forwarded_proto="https")).headers["set-cookie"]


async def test_a_token_names_the_customer_and_links_the_browser(
    running: Running, kafka: Broker, registry: Path
) -> None:
    customer, given = f"käufer {fresh()}", fresh()
    answer = await follow(running, await address("spring", customer, registry), cookie=f"tl_id={given}")
    assert answer.headers["location"] == TARGET
    (click,) = await clicks(kafka, given)
    assert (click["customer_id"], click["__key"]) == (customer, customer)


async def test_a_forged_token_names_nobody(running: Running, kafka: Broker, registry: Path) -> None:
    customer, given = fresh(), fresh()
    good = await address("spring", customer, registry)
    before = await counted(running, "touchline_links_tokens_refused_total")
    wrong = [good[:-1], good.replace("/l/spring", "/l/poster"), "/l/spring?c=x", "/l/spring?c=%00%FF.%0D%0A"]
    for path in wrong:
        assert (await follow(running, path, cookie=f"tl_id={given}")).status_code == 302
    assert {each["customer_id"] for each in await clicks(kafka, given)} == {f"anon:{given}"}
    assert len(await clicks(kafka, given)) == len(wrong)
    assert await counted(running, "touchline_links_tokens_refused_total") == before + len(wrong)


@pytest.mark.parametrize("name", ["sec_gpc", "dnt"])
async def test_who_opts_out_is_not_followed(running: Running, kafka: Broker, registry: Path, name: str) -> None:
    customer, given = fresh(), fresh()
    before = await counted(running, 'touchline_links_ignored_total{reason="opted_out"}')
    headers = {name: "1", "cookie": f"tl_id={given}"}
    answer = await follow(running, "/l/spring", **headers)
    assert (answer.status_code, answer.headers.get("set-cookie")) == (302, None)
    assert await counted(running, 'touchline_links_ignored_total{reason="opted_out"}') == before + 1
    answer = await follow(running, await address("spring", customer, registry), **headers)
    assert answer.headers.get("set-cookie") is None
    assert await clicks(kafka, given) == []
    (click,) = await clicks(kafka, customer_id=customer)
    assert click["anonymous_id"] is None


@pytest.mark.parametrize(
    ("reason", "method", "headers"),
    [
        ("head", "HEAD", {}),
        ("prefetch", "GET", {"sec_purpose": "prefetch;prerender"}),
        ("preview", "GET", {"user_agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"}),
    ],
)
async def test_what_looks_ahead_is_no_click(
    running: Running, kafka: Broker, reason: str, method: str, headers: dict[str, str]
) -> None:
    given, wanted = fresh(), f'touchline_links_ignored_total{{reason="{reason}"}}'
    before = await counted(running, wanted)
    answer = await follow(running, "/l/spring", method, cookie=f"tl_id={given}", **headers)
    assert (answer.status_code, answer.headers["location"]) == (302, TARGET)
    answer = await follow(running, "/l/spring", method, **headers)
    assert "set-cookie" not in answer.headers
    assert await counted(running, wanted) == before + 2
    assert await clicks(kafka, given) == []


async def test_only_campaign_parameters_and_only_where_asked_for(running: Running, kafka: Broker) -> None:
    given, query = fresh(), "?utm_source=a%0d%0ab&utm_medium=%2F%2Fevil&next=//evil.example"
    assert (await follow(running, f"/l/spring{query}")).headers["location"] == TARGET
    answer = await follow(running, f"/l/poster{query}", cookie=f"tl_id={given}")
    wanted = "http://shop.example:8080?utm_source=a%0D%0Ab&utm_medium=%2F%2Fevil"
    assert answer.headers["location"] == wanted
    (click,) = await clicks(kafka, given)
    assert (click["attributes"]["utm_source"], click["attributes"]["utm_medium"]) == ("a\r\nb", "//evil")


async def test_links_that_lead_nowhere(running: Running) -> None:
    for path, status, reason in (("/l/sprin", 404, "unknown"), ("/l/winter", 410, "expired")):
        wanted = f'touchline_links_nowhere_total{{reason="{reason}"}}'
        before = await counted(running, wanted)
        answer = await follow(running, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "location" not in answer.headers and "set-cookie" not in answer.headers
        assert (await follow(running, path, "HEAD")).content == b""
        assert await counted(running, wanted) == before + 2


async def raw(running: Running, target: str) -> bytes:
    """The whole answer to a request line that no client would write."""
    split = urlsplit(running.url)
    reader, writer = await asyncio.open_connection(split.hostname, split.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode("latin-1"))
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    return answer


@pytest.mark.parametrize(
    "target",
    [
        "/l",
        "/l/",
        "/l//evil.example",
        "/l/https://evil.example",
        "/l/https:%2f%2fevil.example",
        "/l/%2f%2fevil.example",
        "/l/..%2f..%2fevil.example",
        "/l/spring/",
        "/l/spring%2f@evil.example",
        "/l/spring%0d%0aLocation:%20https://evil.example",
        "/l/spring%00",
        "/l/SPRING",
        "/l/\\evil.example",
        "//evil.example/l/spring",
        "//evil.example/%2e%2e",
        "https://evil.example/",
        "/healthz/",
    ],
)
async def test_nobody_is_sent_where_the_registry_does_not_say(running: Running, target: str) -> None:
    answer = await raw(running, target)
    status = answer.partition(b"\r\n")[0]
    assert status.split()[1] in {b"404", b"400"}, answer
    assert b"\nlocation:" not in answer.lower()
    assert b"evil" not in answer.lower()


async def test_the_other_methods(running: Running) -> None:
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert (await follow(running, "/l/spring", method)).status_code == 405


async def test_it_is_described(running: Running) -> None:
    paths = (await follow(running, "/openapi.json")).json()["paths"]["/l/{code}"]
    assert set(paths["get"]["responses"]) == {"302", "404", "410"}
    assert set(paths["head"]["responses"]) == {"302", "404", "410"}
    assert [each["name"] for each in paths["get"]["parameters"]] == ["code", "c"]


async def test_a_changed_registry_is_used_and_a_broken_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "links.toml"
    await asyncio.to_thread(path.write_text, LINKS)
    async with collector("127.0.0.1:1", tmp_path, links=str(path)) as running:
        assert await leads_to(running) == TARGET
        await asyncio.to_thread(path.write_text, LINKS.replace("/spring?", "/new?"))
        async with asyncio.timeout(60):
            while (new := await leads_to(running)) == TARGET:
                await asyncio.sleep(0.02)
        assert new == "https://shop.example/new?from=mail#top"
        await asyncio.to_thread(path.write_text, LINKS.replace("https://shop.example/spring", "//evil.example"))
        async with asyncio.timeout(60):
            while not await counted(running, "touchline_links_reload_failures_total"):
                assert await leads_to(running) == new
        assert await leads_to(running) == new
        assert "links.spring.target" in running.child.log.read_text()


async def leads_to(running: Running) -> str:
    return (await follow(running, "/l/spring", "HEAD")).headers["location"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"links": "/nowhere/links.toml"}, "TOUCHLINE_LINKS: /nowhere/links.toml cannot be read"),
        ({"link_key": "short"}, "TOUCHLINE_LINK_KEY"),
        ({"link_cookie": "a b"}, "TOUCHLINE_LINK_COOKIE"),
    ],
)
async def test_wrong_settings_are_named(tmp_path: Path, registry: Path, settings: dict[str, str], says: str) -> None:
    with pytest.raises(AssertionError, match=says):
        async with collector("127.0.0.1:1", tmp_path, **{"links": str(registry), **settings}):
            pass


async def test_without_a_registry_there_are_no_links(tmp_path: Path) -> None:
    async with collector("127.0.0.1:1", tmp_path) as without:
        assert (await follow(without, "/l/spring")).json()["error"]["code"] == "not_found"
        assert "/l/{code}" not in (await follow(without, "/openapi.json")).json()["paths"]
