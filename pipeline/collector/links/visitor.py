"""What the headers of a request tell of who follows a link: a person, or software that looks ahead."""

from __future__ import annotations

import re
from collections.abc import Mapping

_AHEAD = ("sec-purpose", "purpose", "x-purpose", "x-moz")
_LOOKING_AHEAD = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)
# CUBOT is a make of phones. The last two are what Office opens a link with before it hands it to the browser.
_PREVIEW = re.compile(
    r"(?<!cu)bot\b|crawler|spider|facebookexternalhit|facebookcatalog|meta-external|whatsapp/|skypeuripreview"
    r"|snap url preview|slack-imgproxy|google-pagerenderer|vkshare|embedly|iframely|mastodon/|synapse/|bitlybot"
    r"|headlesschrome|ms-office|microsoft office",
    re.IGNORECASE,
)
_BROWSERS = (
    ("edge", re.compile(r"Edg(e|A|iOS)?/")),
    ("opera", re.compile(r"OPR/|Opera")),
    ("samsung", re.compile(r"SamsungBrowser/")),
    ("firefox", re.compile(r"Firefox/|FxiOS/")),
    ("chrome", re.compile(r"Chrome/|CriOS/")),
    ("safari", re.compile(r"Safari/")),
)


def looked_ahead(method: str, headers: Mapping[str, str]) -> str | None:
    """Why a request is nobody's click: `head`, `prefetch` or `preview`; None for what may be a person.

    Only what says so of itself is seen. A mail scanner that poses as a browser counts as a click.
    """
    if method == "HEAD":
        return "head"
    if any(_LOOKING_AHEAD.search(headers.get(name, "")) for name in _AHEAD):
        return "prefetch"
    if _PREVIEW.search(headers.get("user-agent", "")):
        return "preview"
    return None


def opted_out(headers: Mapping[str, str]) -> bool:
    """Whether the browser asks not to be followed: Global Privacy Control, or Do Not Track."""
    return headers.get("sec-gpc", "").strip() == "1" or headers.get("dnt", "").strip() == "1"


def browser(user_agent: str) -> str:
    """The family of a browser, without version or system."""
    return next((name for name, pattern in _BROWSERS if pattern.search(user_agent)), "other")
