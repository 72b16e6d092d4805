"""Signed tokens that say for which customer a short link was made.

A token is the customer_id in base64 and an HMAC-SHA256 over it and the link's code, cut to 128 bits. It proves who was
sent the link, not who follows it (a mail can be forwarded), and hides nothing: send ids that mean nothing to others.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from pipeline.errors import ConfigurationError
from pipeline.model import ANONYMOUS_PREFIX

PARAMETER = "c"
SHORTEST_KEY = 16
LONGEST_ID = 200
_MAC_BYTES = 16
_LONGEST_TOKEN = 1100
_PURPOSE = b"touchline link 1"


class Signer:
    """Makes tokens with the first key of a comma-separated setting, and takes those of all: so keys can be changed.

    Raises ConfigurationError for a key that is too short. Without a key no token is taken.
    """

    def __init__(self, setting: str) -> None:
        self._keys = [key.strip().encode() for key in setting.split(",") if key.strip()]
        if any(len(key) < SHORTEST_KEY for key in self._keys):
            raise ConfigurationError(f"TOUCHLINE_LINK_KEY: a key needs at least {SHORTEST_KEY} characters")

    def token(self, code: str, customer_id: str) -> str:
        """The token of a customer for one link. Raises ConfigurationError when no key is set."""
        if not self._keys:
            raise ConfigurationError("TOUCHLINE_LINK_KEY: set a secret to sign with, the same as the collector's")
        return _signed(self._keys[0], code, customer_id)

    def customer(self, code: str, token: str) -> str | None:
        """The customer a token was made for; None when it was not made here, for this link, or was changed."""
        customer_id = _claimed(token)
        if customer_id is None:
            return None
        given = token.encode("utf-8", "replace")
        matches = [hmac.compare_digest(_signed(key, code, customer_id).encode(), given) for key in self._keys]
        return customer_id if any(matches) else None


def customer_problem(customer_id: str) -> str | None:
    """Why there can be no such customer_id; None when there can."""
    if not 0 < len(customer_id) <= LONGEST_ID:
        return f"a customer_id has 1 to {LONGEST_ID} characters"
    if customer_id.startswith(ANONYMOUS_PREFIX):
        return f"a customer_id does not start with {ANONYMOUS_PREFIX}"
    return None


def _signed(key: bytes, code: str, customer_id: str) -> str:
    content = b"\0".join((_PURPOSE, code.encode(), customer_id.encode()))
    mac = hmac.digest(key, content, "sha256")[:_MAC_BYTES]
    return f"{_base64(customer_id.encode())}.{_base64(mac)}"


def _claimed(token: str) -> str | None:
    """Whom a token names, true or not."""
    if len(token) > _LONGEST_TOKEN:
        return None
    coded = token.partition(".")[0]
    try:
        return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except (ValueError, binascii.Error):
        return None


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
