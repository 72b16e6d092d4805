"""Who gets into the console and who does not, what errors look like, and the headers that all of it has."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx
import pytest

from pipeline.collector import private
from pipeline.collector.gate import Gate
from pipeline.collector.metrics import Metrics
from pipeline.collector.orders import Orders
from pipeline.console.gate import back_to
from pipeline.console.sign_in import TRIES
from pipeline.console.warehouse import Warehouse
from pipeline.local.server import free_port
from pipeline.publisher import Publisher
from pipeline.settings import Settings

KEY = "rk_test"
HERE = "http://console.test"
ALERT = "0b9f8d1e-58a4-5c1e-9a0f-2f4f9b0c7d11"


@asynccontextmanager
async def listener(**settings: object) -> AsyncIterator[httpx.AsyncClient]:
    """The private listener, its ClickHouse and its Kafka out of reach."""
    known = Settings.model_validate({"kafka_url": f"127.0.0.1:{free_port()}", "read_key": KEY, **settings})
    publisher = Publisher(str(known.kafka_url), ack_timeout_seconds=0.5)
    warehouse = Warehouse(known)
    app = private.build(known, Metrics(Gate(), publisher.waiting_seconds), Orders(publisher), warehouse)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=HERE, headers={"Origin": HERE}) as http:
        yield http
    await publisher.stop()
    await warehouse.close()


async def signed_in(http: httpx.AsyncClient, onward: str = "") -> httpx.Response:
    return await http.post("/console/sign-in", data={"key": KEY, "by": "Eva", "next": onward})


async def token(http: httpx.AsyncClient) -> str:
    """The token of the session, from the form to sign out that stands on every page, an error's too."""
    found = re.search(r'name="token" value="([0-9a-f]{64})"', (await http.get("/console")).text)
    assert found is not None
    return found[1]


async def test_nobody_sees_a_page_without_signing_in() -> None:
    async with listener() as http:
        for path in ("/console", "/console/", "/console/at-risk?level=high", "/console/customer?id=a%2Fb"):
            answer = await http.get(path)
            assert answer.status_code == 303
            asked = httpx.URL(answer.headers["location"])
            assert (asked.path, asked.params["next"]) == ("/console/sign-in", path)
        assert (await http.get("/console/figures.json")).status_code == 401
        for path in ("acknowledge", "snooze", "sign-out"):
            answer = await http.post(f"/console/{path}", data={"customer_id": "ann", "for": "7d", "alert_id": ALERT})
            assert (answer.status_code, answer.headers["location"]) == (303, "/console/sign-in")


async def test_the_root_leads_to_the_console() -> None:
    async with listener() as http:
        assert (await http.get("/")).headers["location"] == "/console"


async def test_the_key_opens_and_leads_to_what_was_asked_for() -> None:
    async with listener() as http:
        answer = await signed_in(http, "/console/customer?id=a%2Fb")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/customer?id=a%2Fb")
        cookie = answer.headers["set-cookie"].lower()
        assert all(each in cookie for each in ("httponly", "samesite=strict", "path=/console", "max-age=36000"))
        assert "secure" not in cookie
        assert (await http.get("/console")).status_code == 503


async def test_behind_tls_the_cookie_goes_over_tls_only() -> None:
    async with listener() as http:
        answer = await http.post(HERE.replace("http", "https") + "/console/sign-in", data={"key": KEY})
        assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("wrong", ["", "rk_tesT", "rk_test0", "\u202e", KEY + "\x00"])
async def test_a_wrong_key_opens_nothing(wrong: str) -> None:
    async with listener() as http:
        answer = await http.post("/console/sign-in", data={"key": wrong})
        assert (answer.status_code, "not the read key" in answer.text) == (401, True)
        assert "set-cookie" not in answer.headers


async def test_tries_are_limited_whatever_the_key() -> None:
    async with listener() as http:
        tries = [await http.post("/console/sign-in", data={"key": "rk_guess"}) for _ in range(TRIES + 1)]
        assert [answer.status_code for answer in tries] == [401] * TRIES + [429]
        assert (await signed_in(http)).status_code == 429


async def test_who_knows_the_key_uses_up_no_tries() -> None:
    async with listener() as http:
        assert {(await signed_in(http)).status_code for _ in range(2 * TRIES)} == {303}
        tries = [await http.post("/console/sign-in", data={"key": "rk_guess"}) for _ in range(TRIES + 1)]
        assert [answer.status_code for answer in tries] == [401] * TRIES + [429]


async def test_others_pages_use_up_no_tries() -> None:
    async with listener() as http:
        for _ in range(TRIES + 1):
            answer = await http.post("/console/sign-in", data={"key": "x"}, headers={"Origin": "https://evil.example"})
            assert answer.status_code == 403
        assert (await signed_in(http)).status_code == 303


async def test_without_a_read_key_nobody_gets_in() -> None:
    async with listener(read_key="") as http:
        answer = await http.post("/console/sign-in", data={"key": ""})
        assert (answer.status_code, "TOUCHLINE_READ_KEY" in answer.text) == (401, True)
        answer = await http.get("/v1/customers/ann", headers={"Authorization": "Bearer "})
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "key_missing")


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://console.test.evil.example", "http://console.test:81", "x"]
)
async def test_forms_of_others_are_refused(origin: str | None) -> None:
    """Even with the session and its token, as a page could have that some hole let read them."""
    async with listener() as http:
        await signed_in(http)
        form = {"token": await token(http), "customer_id": "ann", "for": "7d"}
        del http.headers["Origin"]
        answer = await http.post("/console/snooze", data=form, headers={} if origin is None else {"Origin": origin})
        assert (answer.status_code, "was not sent from the console" in answer.text) == (403, True)


async def test_a_form_needs_the_token_of_its_session() -> None:
    async with listener() as http, listener(read_key="rk_other") as other:
        await signed_in(http)
        await other.post("/console/sign-in", data={"key": "rk_other"})
        for wrong in ({}, {"token": ""}, {"token": await token(other)}):
            answer = await http.post("/console/snooze", data={**wrong, "customer_id": "ann", "for": "7d"})
            assert (answer.status_code, "of another session" in answer.text) == (403, True)


@pytest.mark.parametrize(
    ("action", "fields", "told"),
    [
        ("snooze", {"customer_id": "ann", "for": "forever"}, "30m, 12h or 7d"),
        ("snooze", {"for": "7d"}, "customer_id is required"),
        ("acknowledge", {"customer_id": "ann", "alert_id": "5"}, "is a UUID"),
        ("acknowledge", {"alert_id": ALERT}, "customer_id is required"),
    ],
)
async def test_a_wrong_order_is_refused_with_what_to_mend(action: str, fields: dict[str, str], told: str) -> None:
    async with listener() as http:
        await signed_in(http)
        answer = await http.post(f"/console/{action}", data={**fields, "token": await token(http)})
        assert (answer.status_code, told in answer.text) == (422, True)


async def test_an_order_that_kafka_does_not_take_is_not_called_taken() -> None:
    async with listener() as http:
        await signed_in(http)
        order = {"customer_id": "ann", "for": "7d", "token": await token(http)}
        answer = await http.post("/console/snooze", data=order)
        assert (answer.status_code, "Kafka" in answer.text) == (503, True)


@pytest.mark.parametrize("settings", [{}, {"clickhouse_url": "http://127.0.0.1:1"}], ids=["unset", "away"])
async def test_without_clickhouse_pages_and_customers_say_so(settings: dict[str, str]) -> None:
    async with listener(**settings) as http:
        await signed_in(http)
        for path in ("/console", "/console/at-risk", "/console/customer?id=ann", "/console/figures.json"):
            answer = await http.get(path)
            assert (
                answer.status_code,
                "TOUCHLINE_CLICKHOUSE_URL" in answer.text or "did not answer" in answer.text,
            ) == (
                503,
                True,
            )
        answer = await http.get("/v1/customers/ann", headers={"Authorization": f"Bearer {KEY}"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert answer.headers["retry-after"]


@pytest.mark.parametrize(
    "path", ["at-risk?level=low", "at-risk?page=0", "at-risk?page=x", "at-risk?page=٣", "customer?id=a&before=5"]
)
async def test_a_wrong_address_is_told_what_it_should_be(path: str) -> None:
    async with listener() as http:
        await signed_in(http)
        answer = await http.get(f"/console/{path}")
        assert (answer.status_code, "must be" in answer.text) == (422, True)


async def test_everything_of_the_console_is_fenced_in() -> None:
    async with listener() as http:
        await signed_in(http)
        icon = re.search(r'href="(/console/static/icon\.svg[^"]*)"', (await http.get("/console")).text)
        assert icon is not None
        for path in ("/console", "/console/sign-in", "/console/figures.json", "/console/at-risk?level=x", icon[1]):
            answer = await http.get(path)
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'")
            assert "unsafe" not in policy
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert ("no-store" in answer.headers["cache-control"]) == (path != icon[1])
        for name in ("secrets.py", "..%2Fapp.py", "%2e%2e/app.py"):
            assert (await http.get(f"/console/static/{name}")).status_code == 404


async def test_nothing_comes_from_elsewhere_and_nothing_stands_inline() -> None:
    async with listener() as http:
        text = (await http.get("/console/sign-in")).text
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', text):
            assert not urlsplit(address).netloc
        assert not re.search(r"<style|style=|<script(?! src=)| on[a-z]+=", text)


@pytest.mark.parametrize(
    ("given", "onward"),
    [
        ("/console", "/console"),
        ("/console?said=x", "/console?said=x"),
        ("/console/customer?id=%2F%2Fevil", "/console/customer?id=%2F%2Fevil"),
        *[(wrong, "/console") for wrong in ("", "//evil", "/consolex", "https://evil/console", "/console/\\evil")],
        *[(wrong, "/console") for wrong in ("/console/\r\nSet-Cookie: a=b", "/\t/evil", "javascript:alert(1)")],
    ],
)
def test_one_is_led_on_only_within_the_console(given: str, onward: str) -> None:
    assert back_to(given) == onward
