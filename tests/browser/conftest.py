"""The browser that all tests of pages share, and a page of its own for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page

from tests.browser.chromium import DESKTOP, MISSING, executable, launched


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A running browser; without Chromium on the machine the tests are skipped, with the reason."""
    path = executable()
    if path is None:
        pytest.skip(MISSING)
    async with launched(path) as browser:
        yield browser


@pytest.fixture
async def page(chromium: Browser) -> AsyncIterator[Page]:
    """A fresh page with no cookies, as wide as a desk's."""
    context = await chromium.new_context(viewport=DESKTOP)
    page = await context.new_page()
    yield page
    await context.close()
