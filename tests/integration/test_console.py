"""The private listener against a real installation: a customer as JSON; the console's figures, orders and pages."""

from __future__ import annotations

import asyncio
import html
import json
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import jsonschema
import pytest

from tests.console.company import ANGRY, DEVICE, HOSTILE, LONG, NOTE, Company, company, event

PATIENCE = 60.0


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Company]:
    async with company(tmp_path_factory.mktemp("stack")) as made:
        yield made


@pytest.fixture(scope="module")
async def api(world: Company) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {world.read_key}"}
    async with httpx.AsyncClient(base_url=world.url, headers=headers, timeout=PATIENCE) as http:
        yield http


@asynccontextmanager
async def signed_in(world: Company) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=world.url, headers={"Origin": world.url}, timeout=PATIENCE) as http:
        answer = await http.post("/console/sign-in", data={"key": world.read_key, "by": "Eva"})
        assert answer.status_code == 303
        yield http


async def figures(http: httpx.AsyncClient, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The overview's figures as soon as they are so; they are kept for a moment."""
    async with asyncio.timeout(PATIENCE):
        while not wanted(told := (await http.get("/console/figures.json")).json()):
            await asyncio.sleep(0.2)
    return dict(told)


def of_customer(name: str) -> str:
    return f"/v1/customers/{quote(name, safe='')}"


@pytest.mark.parametrize("name", ["ann", LONG, HOSTILE, f"anon:{DEVICE}"])
async def test_a_customer_is_the_views_row_in_the_shape_described(
    world: Company, api: httpx.AsyncClient, name: str
) -> None:
    answer = await api.get(of_customer(name))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    told = answer.json()
    description = (await api.get("/openapi.json")).json()
    answers = description["paths"]["/v1/customers/{customer_id}"]["get"]["responses"]
    jsonschema.validate(told, answers["200"]["content"]["application/json"]["schema"])
    person = LONG if name.startswith("anon:") else name
    assert told["customer_id"] == person
    [(score, level, reasons)] = await world.client.query(
        "SELECT score, level, reasons FROM customers WHERE customer_id = {id:String}", {"id": person}
    )
    assert (told["score"], told["level"]) == (score, level)
    assert [each["text"] for each in told["reasons"]] == [each["text"] for each in reasons]
    assert told["touchpoints"] == await world.one(
        "SELECT count() FROM person_touchpoints(person = {id:String})", id=person
    )
    if name == LONG:
        assert (told["linked_ids"], told["values"], told["nps"]) == ([f"anon:{DEVICE}"], {"EUR": 49.9}, 9)
    if name == "ann":
        [issue] = told["open_issues"]
        assert (issue["reference"], issue["touchpoint"], told["last_mood"]) == ("ticket-1", "complaint", "negative")


async def test_a_slash_in_an_id_may_stand_as_it_is(world: Company, api: httpx.AsyncClient) -> None:
    await world.send(event("a/b c", 5, "web", "page_view"))
    await world.until("SELECT count() FROM customers WHERE customer_id = 'a/b c'", 1)
    for path in ("/v1/customers/a/b%20c", "/v1/customers/a%2Fb%20c"):
        assert (await api.get(path)).json()["customer_id"] == "a/b c"


async def test_who_was_never_seen_is_404_and_a_wrong_key_401(world: Company, api: httpx.AsyncClient) -> None:
    for name in ("nobody", "ANN", "ann ", "' OR 1=1 --", "\\", "\t", "%", "ann\n", "a\nb"):
        answer = await api.get(of_customer(name))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_customer"), name
    answer = await api.get("/v1/customers/")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    for headers in ({"Authorization": "Bearer rk_wrong"}, {"Authorization": "Basic x"}, {"Authorization": ""}):
        answer = await api.get("/v1/customers/ann", headers=headers)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="touchline"')


async def test_every_figure_is_the_views(world: Company) -> None:
    asked = {
        "touchpoints": "SELECT count() FROM touchpoints",
        "touchpoints_today": "SELECT count() FROM touchpoints WHERE toDate(received_at) = toDate(now('UTC'))",
        "customers": "SELECT uniqExact(customer_id) FROM customers WHERE customer_id NOT LIKE 'anon:%'",
        "visitors": "SELECT uniqExact(customer_id) FROM customers WHERE customer_id LIKE 'anon:%'",
        "journeys": "SELECT count() FROM journeys",
        "open_journeys": "SELECT count() FROM journeys WHERE is_open",
        **{
            name: f"SELECT count() FROM customers_at_risk WHERE level = '{name}'"
            for name in ("critical", "high", "medium")
        },
        "alerts_open": "SELECT count() FROM alert_states WHERE status = 'open'",
        "dead_letters": "SELECT count() FROM rejected",
        "dead_letters_waiting": "SELECT count() FROM rejected WHERE replayed_at IS NULL",
    }
    wanted = {name: await world.one(sql) for name, sql in asked.items()}
    async with signed_in(world) as http:
        async with asyncio.timeout(PATIENCE):
            while (told := (await http.get("/console/figures.json")).json())["counts"]["touchpoints"] != wanted[
                "touchpoints"
            ]:
                await asyncio.sleep(0.2)
        page = (await http.get("/console")).text
    assert {name: told["counts"][name] for name in wanted} == wanted
    assert told["counts"].keys() == {*wanted, "newest_received_at"}
    newest = await world.one("SELECT toString(max(received_at)) FROM touchpoints")
    assert told["counts"]["newest_received_at"] == newest.replace(" ", "T") + "Z"
    for name in wanted.keys() - {"journeys"}:
        assert f'data-figure="{name}">{wanted[name]:,}<' in page


async def test_lag_is_what_a_stopped_worker_has_before_it(world: Company) -> None:
    async def lag(http: httpx.AsyncClient, wanted: int) -> dict[str, Any]:
        return dict((await figures(http, lambda told: told["lag"]["landing"] == wanted))["lag"])

    worker = world.installation.role("landing")
    async with signed_in(world) as http:
        assert (await lag(http, 0))["delivery"] is None
        worker.signal(signal.SIGSTOP)
        try:
            await world.send(*(event("gil", number, "web", "page_view") for number in range(7)))
            await lag(http, 7)
        finally:
            worker.signal(signal.SIGCONT)
        assert (await lag(http, 0))["customers"] == 0


async def test_orders_are_given_once_they_come_from_our_page(world: Company) -> None:
    async with signed_in(world) as http:
        page = (await http.get("/console/customer", params={"id": "dan"})).text
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
        form = {name: html.unescape(value) for name, value in form.items()}
        alert = re.search(r'name="alert_id" value="([0-9a-f-]{36})"', page)
        assert alert is not None
        given = {"customer_id": "dan", "back": form["back"], "alert_id": alert[1]}
        refused = await http.post("/console/acknowledge", data=given)
        assert refused.status_code == 403
        assert await world.one("SELECT count() FROM alert_states WHERE customer_id = 'dan' AND status = 'open'") == 1
        answer = await http.post("/console/acknowledge", data={**given, "token": form["token"]})
        assert (answer.status_code, answer.headers["location"].partition("said=")[0]) == (
            303,
            "/console/customer?id=dan&",
        )
        sql = "SELECT acknowledged_by FROM alert_states WHERE customer_id = 'dan' AND status = 'acknowledged'"
        await world.until(f"SELECT max(acknowledged_by) FROM ({sql})", "Eva")
        await http.post("/console/snooze", data={**given, "for": "7d", "token": form["token"]})
        await world.until("SELECT max(by) FROM alerts WHERE customer_id = 'dan' AND status = 'snoozed'", "Eva")


async def test_a_hostile_name_and_what_it_says_are_escaped_everywhere(world: Company) -> None:
    async with signed_in(world) as http:
        for path in ("/console", "/console/at-risk", "/console/customer?id=" + quote(HOSTILE, safe="")):
            text = (await http.get(path)).text
            assert html.escape(HOSTILE).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in text, path
            for each in (HOSTILE, "<script>document", NOTE, "<b>bold</b>", "</title><script>"):
                assert each not in text, path
        unknown = await http.get("/console/customer", params={"id": HOSTILE[:40]})
        assert (unknown.status_code, "<script>document" in unknown.text) == (404, False)


async def test_blanks_around_an_id_are_its_own_or_nobodys(world: Company) -> None:
    await world.send(event(" kai ", 5, "web", "page_view"))
    await world.until("SELECT count() FROM customers WHERE customer_id = ' kai '", 1)
    async with signed_in(world) as http:
        for typed, status, found in ((" kai ", 200, " kai "), (" ann\t", 200, "ann"), ("kai", 404, "")):
            answer = await http.get("/console/customer", params={"id": typed})
            assert (answer.status_code, f"<title>{found} ·" in answer.text) == (status, bool(found)), typed


async def test_a_timeline_has_every_touchpoint_once_the_newest_first(world: Company) -> None:
    seen: list[str] = []
    async with signed_in(world) as http:
        path = f"/console/customer?id={LONG}"
        while path:
            text = (await http.get(path)).text
            seen += re.findall(r'<li class="\w+">\s*<time datetime="([^"]+)"', text)
            older = re.search(r'<a rel="next" href="([^"]+)">Older touchpoints', text)
            path = html.unescape(older[1]) if older else ""
    moments = await world.client.raw(
        f"SELECT occurred_at FROM person_touchpoints(person = '{LONG}') ORDER BY 1 DESC "
        "SETTINGS date_time_output_format = 'iso'",
        fmt="JSONCompactEachRow",
    )
    assert seen == [json.loads(line)[0] for line in moments.splitlines()]


async def test_the_pages_of_the_list_are_the_view_in_its_order(world: Company) -> None:
    async with signed_in(world) as http:
        for level in ("", "critical"):
            text = (await http.get("/console/at-risk", params={"level": level})).text
            listed = [html.unescape(name) for name in re.findall(r'<th role="rowheader".*?<bdi>(.*?)</bdi>', text)]
            rows = await world.client.query(
                "SELECT customer_id FROM customers_at_risk WHERE {level:String} IN ('', level) "
                "ORDER BY score DESC, customer_id",
                {"level": level},
            )
            assert listed == [name for (name,) in rows]
        assert {*ANGRY, HOSTILE} <= set(listed)
        assert "no customer" in (await http.get("/console/at-risk", params={"page": "9"})).text


async def test_it_comes_back_when_clickhouse_does(world: Company, api: httpx.AsyncClient) -> None:
    child = world.installation.stack.child("clickhouse")
    child.kill()
    await child.wait()
    answer = await api.get("/v1/customers/ann")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"]
    await world.installation.stack.restart("clickhouse")
    async with asyncio.timeout(PATIENCE):
        while (await api.get("/v1/customers/ann")).status_code != 200:
            await asyncio.sleep(0.2)
