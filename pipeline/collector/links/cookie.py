"""The cookie that knows a browser again: its value is the anonymous_id of what is done there."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from starlette.responses import Response

from pipeline.errors import ConfigurationError
from pipeline.link_targets import checked_public
from pipeline.settings import Settings

YEAR_SECONDS = 365 * 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]{1,200}")
_DOMAIN = re.compile(r"\.?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class VisitorCookie:
    """Reads and sets the cookie as the settings say. Raises ConfigurationError for what cannot be one.

    A cookie that is there stays as it is, whoever set it: so a page's own script may give out the ids.
    """

    def __init__(self, settings: Settings) -> None:
        self._name, self._domain = settings.link_cookie, settings.link_cookie_domain or None
        if not _NAME.fullmatch(self._name):
            raise ConfigurationError("TOUCHLINE_LINK_COOKIE: a cookie's name has no spaces and none of ()<>@,;:/[]?={}")
        if self._domain is not None and not _DOMAIN.fullmatch(self._domain):
            raise ConfigurationError("TOUCHLINE_LINK_COOKIE_DOMAIN: name a domain, like shop.example")
        self._readable = settings.link_cookie_readable
        self._public_https = (checked_public(settings.link_url) or "").lower().startswith("https:")

    def read(self, cookies: Mapping[str, str]) -> str | None:
        """The id that a browser sends; None when it sends none, or what no cookie of ours can be."""
        value = cookies.get(self._name, "")
        return value if _VALUE.fullmatch(value) else None

    def set(self, response: Response, value: str, scheme: str) -> None:
        """Give a browser an id for a year; over https only, where the request or the public address is."""
        response.set_cookie(
            self._name,
            value,
            max_age=YEAR_SECONDS,
            domain=self._domain,
            secure=scheme == "https" or self._public_https,
            httponly=not self._readable,
            samesite="lax",
        )


def minted() -> str:
    """A new id, of 128 random bits."""
    return secrets.token_hex(16)
