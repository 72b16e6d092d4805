"""The report in a real Chromium: complete without a network, readable by everybody, silent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize

from pipeline.report.page import render
from pipeline.report.plotly_script import plotly_script
from pipeline.report.sections import sections
from tests.browser.axe import grave
from tests.browser.chromium import DESKTOP, PHONE, complaints
from tests.unit.report_samples import EMPTY, HOSTILE, MADE_AT, answers

pytestmark = pytest.mark.browser
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report whose every text from outside is hostile."""
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(render(answers(), MADE_AT, "1.2.3", plotly_script()), "utf-8")
    return file.as_uri()


@pytest.fixture
async def context(chromium: Browser) -> AsyncIterator[BrowserContext]:
    context = await chromium.new_context(viewport=DESKTOP, color_scheme="light")
    yield context
    await context.close()


async def opened(context: BrowserContext, address: str, *, drawn: bool = True) -> tuple[Page, list[str], list[str]]:
    """The page, with its charts drawn where it has some; what it complained of; what it asked for."""
    page = await context.new_page()
    page.set_default_timeout(60_000)
    heard, asked = complaints(page), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: heard.append(f"dialog: {dialog.message}"))
    await page.goto(address)
    await page.wait_for_selector("html[data-drawn]" if drawn else "main")
    return page, heard, asked


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desk", "phone"])
async def test_it_is_silent_accessible_and_no_wider_than_the_screen(
    chromium: Browser, report: str, scheme: str, size: ViewportSize
) -> None:
    context = await chromium.new_context(viewport=size, color_scheme="dark" if scheme == "dark" else "light")
    page, heard, asked = await opened(context, report)
    await page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert await page.evaluate(TOO_WIDE) <= 0
    assert await grave(page) == []
    assert heard == []
    assert [each for each in asked if not each.startswith("data:")] == [report]
    await context.close()


async def test_every_chart_is_drawn_and_its_table_opens_by_keyboard(context: BrowserContext, report: str) -> None:
    page, heard, _ = await opened(context, report)
    found = sections(answers())
    assert await page.locator(".chart .main-svg").count() >= sum(len(section.charts) for section in found)
    for section in found:
        summary = page.locator(f"#{section.id} summary")
        table = page.locator(f"#{section.id} table")
        assert await table.is_visible() == section.shown
        await summary.focus()
        await page.keyboard.press("Enter")
        assert await table.is_visible() != section.shown
    assert heard == []


async def test_the_first_key_leads_past_the_navigation(context: BrowserContext, report: str) -> None:
    page, _, _ = await opened(context, report)
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.textContent") == "Skip to the content"
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "content"


async def test_charts_follow_the_theme(context: BrowserContext, report: str) -> None:
    page, heard, _ = await opened(context, report)
    colour = "getComputedStyle(document.querySelector('#risk-levels .ytick text')).fill"
    light = await page.evaluate(colour)
    await page.emulate_media(color_scheme="dark")
    await page.wait_for_selector("html[data-drawn=dark]")
    assert await page.evaluate(colour) != light
    assert heard == []


async def test_a_hostile_name_is_text_in_charts_too(context: BrowserContext, report: str) -> None:
    page, heard, _ = await opened(context, report)
    [label] = await page.locator("#journey-reach .ytick text").all_text_contents()
    assert "</script><script>alert(1)</script>" in label
    assert await page.locator("main img, main script:not([type])").count() == 0
    assert HOSTILE.split("\u2028")[0] in await page.locator("#customers_at_risk tbody").inner_text()
    assert heard == []


async def test_a_script_that_got_in_would_not_run(context: BrowserContext, report: str) -> None:
    """The policy holds even where escaping failed."""
    page, heard, _ = await opened(context, report)
    await page.evaluate(
        "const bad = document.createElement('script'); bad.textContent = 'window.ran = 1'; document.body.append(bad)"
    )
    assert await page.evaluate("window.ran") is None
    assert any("Content Security Policy" in each for each in heard)


async def test_an_empty_report_is_a_page_too(context: BrowserContext, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(render(EMPTY, MADE_AT, "1.2.3", plotly_script()), "utf-8")
    page, heard, _ = await opened(context, file.as_uri(), drawn=False)
    assert await page.get_by_role("heading", name="Nothing has landed yet").is_visible()
    assert await grave(page) == []
    assert heard == []
