"""The tests of pages can see what is wrong with one: a browser that noticed nothing would prove nothing."""

from __future__ import annotations

import pytest
from playwright.async_api import Page

from tests.browser.axe import grave
from tests.browser.chromium import complaints

pytestmark = pytest.mark.browser


async def test_a_bad_page_is_complained_of(page: Page) -> None:
    found = complaints(page)
    await page.set_content("<html><body><img src='http://shop.example/x.png'><script>lost()</script></body></html>")
    assert any("lost is not defined" in each for each in found)
    assert any("shop.example" in each for each in found)
    assert any(each.startswith("image-alt:") for each in await grave(page))
