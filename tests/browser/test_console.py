"""The console in a real Chromium: clicked through, by keyboard alone, on a phone, in light and dark."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.axe import grave
from tests.browser.chromium import DESKTOP, PHONE, complaints
from tests.console.company import ANGRY, HOSTILE, LONG, Company, company, event

pytestmark = pytest.mark.browser
PATIENCE_MS = 60_000
FOCUSED = """() => {
    const at = document.activeElement;
    return [at.innerText || at.ariaLabel || at.id, getComputedStyle(at).outlineStyle, at.tagName];
}"""
PAGES = (
    "/console",
    "/console/at-risk",
    f"/console/customer?id={quote(HOSTILE, safe='')}",
    f"/console/customer?id={LONG}",
)


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> AsyncIterator[Company]:
    """Asks for the browser first, so that nothing is started where there is none."""
    async with company(tmp_path_factory.mktemp("stack")) as made:
        yield made


@pytest.fixture
async def page(page: Page) -> Page:
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    return page


async def sign_in(page: Page, world: Company, name: str = "Eva") -> None:
    await page.goto(world.url + "/console")
    await page.get_by_label("Your name").fill(name)
    await page.get_by_label("Read key").fill(world.read_key)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def row(page: Page, customer: str):  # type: ignore[no-untyped-def]
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=customer, exact=True))


async def test_a_wrong_key_opens_nothing_and_says_so(page: Page, world: Company) -> None:
    await page.goto(world.url + "/console/at-risk")
    await page.get_by_label("Read key").fill("rk_wrong")
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("alert")).to_contain_text("not the read key")
    await page.get_by_label("Read key").fill(world.read_key)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Customers at risk")).to_be_visible()


async def test_an_alert_is_taken_on_and_a_customer_snoozed(page: Page, world: Company) -> None:
    found = complaints(page)
    await sign_in(page, world)
    await page.get_by_role("link", name="At risk", exact=True).click()
    ann = row(page, "ann")
    await expect(ann).to_contain_text("unresolved contact 8 times")
    await ann.get_by_role("button", name="Acknowledge").click()
    await expect(page.get_by_role("status")).to_contain_text("The alert is yours now")
    await expect(row(page, "ann")).to_contain_text("Acknowledged by Eva")
    await row(page, "ann").get_by_label("Snooze ann for").select_option("30 days")
    await row(page, "ann").get_by_role("button", name="Snooze").click()
    await expect(page.get_by_role("status")).to_contain_text("Snoozed")
    await expect(row(page, "ann")).to_contain_text("Snoozed until")
    until = await world.one("SELECT dateDiff('day', now(), max(until)) FROM alerts WHERE customer_id = 'ann'")
    assert until in (29, 30)
    await row(page, "ann").get_by_role("link", name="ann").click()
    await expect(page.get_by_role("heading", name="ann")).to_be_visible()
    await page.get_by_role("button", name="End snooze").click()
    await expect(page.get_by_role("status")).to_contain_text("alerts are raised again")
    await expect(page.get_by_role("button", name=re.compile("^Snooze"))).to_be_visible()
    said = await world.one("SELECT acknowledged_by FROM alert_states WHERE customer_id = 'ann' AND level = 'critical'")
    assert (said, found) == ("Eva", [])


async def test_a_customer_is_found_and_read_to_the_beginning(page: Page, world: Company) -> None:
    await sign_in(page, world)
    search = page.get_by_role("searchbox")
    await search.fill(LONG)
    await search.press("Enter")
    await expect(page.get_by_role("heading", name=LONG)).to_be_visible()
    await expect(page.get_by_text("49.90 EUR").first).to_be_visible()
    seen = await page.locator(".timeline li").count()
    while await page.get_by_role("link", name="Older touchpoints").count():
        await page.get_by_role("link", name="Older touchpoints").click()
        await expect(page.get_by_role("link", name="Back to the newest")).to_be_visible()
        seen += await page.locator(".timeline li").count()
    assert seen == await world.one(f"SELECT count() FROM person_touchpoints(person = '{LONG}')")
    await search.fill("qui")
    await search.press("Enter")
    await page.get_by_role("link", name=LONG).click()
    await expect(page.get_by_role("heading", name=LONG)).to_be_visible()


async def test_who_signs_out_is_out(page: Page, world: Company) -> None:
    found = complaints(page)
    await sign_in(page, world)
    [cookie] = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/console")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.context.add_cookies([{**cookie}])  # type: ignore[typeddict-item]
    await page.goto(world.url + "/console/at-risk")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert found == []


async def test_figures_stay_fresh_and_are_the_views(page: Page, world: Company) -> None:
    found = complaints(page)
    await sign_in(page, world)
    before = await world.one("SELECT count() FROM touchpoints")
    await expect(page.locator("[data-figure=touchpoints]")).to_have_text(f"{before:,}")
    await world.send(event("fay", 1, "web", "page_view"), event("fay", 2, "web", "search"))
    await expect(page.locator("[data-figure=touchpoints]")).to_have_text(f"{before + 2:,}")
    await expect(page.locator("[data-lag=customers]")).to_have_text("0")
    assert found == []


async def test_all_of_it_goes_by_keyboard(page: Page, world: Company) -> None:
    async def tab_to(name: str) -> None:
        for _ in range(80):
            await page.keyboard.press("Tab")
            told, outline, tag = await page.evaluate(FOCUSED)
            assert outline != "none" or tag == "BODY", f"no focus can be seen on {told}"
            if " ".join(told.split()) == name:
                return
        raise AssertionError(f"{name} is not reached by Tab")

    await page.goto(world.url + "/console")
    await tab_to("by")
    await page.keyboard.type("Kim")
    await tab_to("key")
    await page.keyboard.type(world.read_key)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    await tab_to("Skip to the content")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    await page.goto(world.url + "/console")
    await tab_to("At risk")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Customers at risk")).to_be_visible()
    await tab_to("Acknowledge the alert of ben")
    await page.keyboard.press("Enter")
    await expect(row(page, "ben")).to_contain_text("Acknowledged by Kim")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
async def test_pages_are_for_everybody(
    chromium: Browser, world: Company, size: ViewportSize, scheme: Literal["light", "dark"], tmp_path: Path
) -> None:
    """No serious finding of axe, nothing wider than the screen, no complaint; screenshots are kept with the test."""
    context = await chromium.new_context(viewport=size, color_scheme=scheme)
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    found = complaints(page)
    await page.goto(world.url + "/console/sign-in")
    assert await grave(page) == []
    await sign_in(page, world)
    for number, path in enumerate(PAGES):
        await page.goto(world.url + path)
        assert await grave(page) == [], path
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
        await page.screenshot(path=tmp_path / f"{number}.png", full_page=True)
    assert found == []
    await context.close()


async def test_a_hostile_name_is_only_a_name(page: Page, world: Company) -> None:
    found = complaints(page)
    await sign_in(page, world, name=HOSTILE)
    await page.goto(world.url + "/console/at-risk")
    await page.get_by_role("link", name="document.title").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    await page.get_by_role("button", name="Acknowledge").click()
    await expect(page.get_by_role("status")).to_contain_text("The alert is yours now")
    assert await page.locator("script:not([src]), main img").count() == 0
    assert await page.title() != "owned"
    status = await world.one(
        "SELECT status FROM alert_states WHERE customer_id = {id:String} AND status != 'followed'", id=HOSTILE
    )
    assert (status, found) == ("acknowledged", [])


async def test_the_list_is_the_views(page: Page, world: Company) -> None:
    await sign_in(page, world)
    await page.get_by_role("link", name="Critical").click()
    await expect(page.get_by_role("heading", name="Customers at risk")).to_be_visible()
    ids = await page.locator("tbody a.id").all_inner_texts()
    rows = await world.client.query(
        "SELECT customer_id, score FROM customers_at_risk WHERE level = 'critical' ORDER BY score DESC, customer_id"
    )
    assert [name for name, _ in rows] == ids
    assert set(ANGRY) <= set(ids)
    assert [float(text) for text in await page.locator("tbody .score").all_inner_texts()] == [s for _, s in rows]
