"""What axe, the checker of accessibility that its package brings along, finds wrong with a page."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

GRAVE = {"serious", "critical"}


async def grave(page: Page) -> list[str]:
    """The serious and critical findings: rule, what it is about, and where, one line each."""
    found = await Axe().run(page)
    return [
        f"{each['id']}: {each['help']} at {[node['target'] for node in each['nodes']]}"
        for each in found.response["violations"]
        if each["impact"] in GRAVE
    ]
