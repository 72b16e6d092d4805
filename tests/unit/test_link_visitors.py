"""Who follows a link: people, software that looks ahead, browsers that are known again or ask not to be."""

from __future__ import annotations

import re

import pytest
from starlette.responses import Response

from pipeline.collector.links.cookie import VisitorCookie, minted
from pipeline.collector.links.visitor import browser, looked_ahead, opted_out
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

CHROME = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile"
PEOPLE = {
    CHROME + " Safari/537.36": "chrome",
    CHROME.replace("Pixel 8", "CUBOT NOTE 20") + " Safari/537.36": "chrome",
    CHROME.replace("Chrome", "SamsungBrowser/27.0 Chrome") + " Safari/537.36": "samsung",
    CHROME + " Safari/537.36 Edg/131.0.0.0": "edge",
    CHROME + " Safari/537.36 OPR/115.0.0.0": "opera",
    CHROME + " Safari/537.36 [Pinterest/Android]": "chrome",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Safari/604.1": "safari",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 CriOS/131.0 Safari/604.1": "chrome",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0": "firefox",
    "": "other",
}
PREVIEWS = (
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "TelegramBot (like TwitterBot)",
    "WhatsApp/2.24.20.89 A",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Trident/7.0; .NET4.0E; ms-office)",
    "Microsoft Office Existence Discovery",
)


@pytest.mark.parametrize(("user_agent", "family"), PEOPLE.items())
def test_people(user_agent: str, family: str) -> None:
    assert looked_ahead("GET", {"user-agent": user_agent}) is None
    assert browser(user_agent) == family


@pytest.mark.parametrize("user_agent", PREVIEWS)
def test_previews(user_agent: str) -> None:
    assert looked_ahead("GET", {"user-agent": user_agent}) == "preview"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("x-purpose", "preview"),
        ("x-moz", "prefetch"),
    ],
)
def test_prefetches(name: str, value: str) -> None:
    assert looked_ahead("GET", {name: value, "user-agent": CHROME}) == "prefetch"


def test_head() -> None:
    assert looked_ahead("HEAD", {"user-agent": CHROME}) == "head"


def test_opting_out() -> None:
    assert opted_out({"sec-gpc": "1"})
    assert opted_out({"dnt": "1"})
    assert not opted_out({"sec-gpc": "0", "dnt": "0"})
    assert not opted_out({})


def set_by(scheme: str, **settings: object) -> str:
    response = Response()
    VisitorCookie(Settings(**settings)).set(response, minted(), scheme)  # type: ignore[arg-type]
    return response.headers["set-cookie"]


def test_the_cookie_set() -> None:
    pattern = r"tl_id=[0-9a-f]{32}; HttpOnly; Max-Age=31536000; Path=/; SameSite=lax"
    assert re.fullmatch(pattern, set_by("http"))
    assert "Secure" in set_by("https")
    assert "Secure" in set_by("http", link_url="https://go.shop.example")
    shared = set_by("http", link_cookie="shop_id", link_cookie_domain="shop.example", link_cookie_readable=True)
    assert shared.startswith("shop_id=") and "Domain=shop.example" in shared and "HttpOnly" not in shared


def test_the_cookie_read() -> None:
    cookie = VisitorCookie(Settings())
    for value in (minted(), "GA1.1.1234.5678", "a"):
        assert cookie.read({"tl_id": value}) == value
    for value in ("", "a b", "a\r\nb", "é", 'a"b', "a" * 201):
        assert cookie.read({"tl_id": value}) is None
    assert cookie.read({"other": "x"}) is None


@pytest.mark.parametrize(
    ("setting", "value"),
    [("link_cookie", "a b"), ("link_cookie", ""), ("link_cookie_domain", "a.example; x"), ("link_url", "go.example")],
)
def test_settings_that_cannot_be(setting: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"TOUCHLINE_{setting.upper()}"):
        VisitorCookie(Settings(**{setting: value}))  # type: ignore[arg-type]
