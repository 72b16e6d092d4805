"""A real Chromium without a window: the one of the system's packages, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, ViewportSize, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium was found: install it with `make browser` (or apt-get install chromium)"
DESKTOP = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=360, height=740)


def executable() -> str | None:
    """Where the system's Chromium is, or None."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@asynccontextmanager
async def launched(path: str) -> AsyncIterator[Browser]:
    """Run Chromium, which resolves no name but loopback's: a page that asks the network for anything fails."""
    offline = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[offline])
        try:
            yield browser
        finally:
            await browser.close()


def complaints(page: Page) -> list[str]:
    """Collect, from now on, what the page complains of: errors on its console, exceptions, requests that fail."""
    found: list[str] = []
    page.on("console", lambda said: found.append(said.text) if said.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("requestfailed", lambda request: found.append(f"{request.url}: {request.failure}"))
    return found
