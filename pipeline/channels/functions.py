"""What a mapping's expressions may call besides the functions of JMESPath. Of nothing (null), each gives null.

Each raises ValueError, in words for the sender, for what it cannot take.
"""

from __future__ import annotations

import hmac
import html
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from jmespath import functions as jmespath_functions
from jmespath.functions import Functions as Builtin

from pipeline.catalogue import CUSTOM_PREFIX
from pipeline.channels import money
from pipeline.line_ids import fingerprint
from pipeline.parsing import parse
from pipeline.privacy import email_id, phone_id

_ANY: Any = {"types": []}
_REST: Any = {"types": [], "variadic": True}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_NAME = 64
_TAG = re.compile(r"<[^>]{0,1000}>")
_SPACES = re.compile(r"\s+")
_NOT_NAME = re.compile(r"[^a-z0-9]+")


signature = jmespath_functions.signature


class Functions(Builtin):
    """The functions, with the secret that turns addresses into identities (see pipeline/privacy.py)."""

    def __init__(self, identity_key: str = "", region: str | None = None) -> None:
        self._key = identity_key
        self._region = region

    @signature(_ANY)
    def _func_unix(self, moment: Any) -> str | None:
        """Seconds since 1970, a number or digits, as RFC 3339."""
        return None if moment is None else _rfc3339(_number(moment, "seconds since 1970"))

    @signature(_ANY)
    def _func_unix_ms(self, moment: Any) -> str | None:
        """Milliseconds since 1970, as RFC 3339."""
        return None if moment is None else _rfc3339(_number(moment, "milliseconds since 1970") / 1000)

    @signature(_ANY)
    def _func_utc(self, moment: Any) -> str | None:
        """A time whose vendor says that it is UTC and leaves the offset out, as RFC 3339."""
        if moment is None:
            return None
        try:
            read = datetime.fromisoformat(_text(moment, "a time").removesuffix(" UTC"))
        except ValueError as error:
            raise ValueError(f"{moment!r:.100} is not a time like 2026-03-01 12:00:00") from error
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()

    @signature(_ANY)
    def _func_rfc2822(self, moment: Any) -> str | None:
        """A time as in e-mail, `Sun, 01 Mar 2026 12:00:00 +0000`, as RFC 3339."""
        if moment is None:
            return None
        try:
            read = parsedate_to_datetime(_text(moment, "a time"))
        except ValueError as error:
            raise ValueError(f"{moment!r:.100} is not a time like Sun, 01 Mar 2026 12:00:00 +0000") from error
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).isoformat()

    @signature(_ANY, _ANY)
    def _func_between(self, start: Any, end: Any) -> int | None:
        """Milliseconds from one RFC 3339 time to another; null when they are the wrong way round."""
        if start is None or end is None:
            return None
        try:
            passed = _moment(end) - _moment(start)
        except TypeError as error:
            raise ValueError("one of two times has an offset, the other has none") from error
        return max(0, passed // timedelta(milliseconds=1)) if passed >= timedelta() else None

    @signature(_ANY)
    def _func_milliseconds(self, seconds: Any) -> int | None:
        """Seconds as whole milliseconds."""
        return None if seconds is None else round(_number(seconds, "seconds") * 1000)

    @signature(_ANY, _ANY)
    def _func_minor(self, amount: Any, currency: Any) -> float | None:
        """An amount in the currency's smallest unit, in its own: 1999 and `usd` are 19.99."""
        if amount is None or currency is None:
            return None
        return money.major(_number(amount, "an amount"), _text(currency, "a currency"))

    @signature(_ANY)
    def _func_negative(self, amount: Any) -> float | None:
        """An amount the other way round, for what was paid back: `negative('5.00')` is -5."""
        return None if amount is None else 0.0 - _number(amount, "an amount")

    @signature(_ANY, _ANY, _ANY, _ANY, _ANY)
    def _func_rescaled(self, score: Any, low: Any, high: Any, new_low: Any, new_high: Any) -> float | None:
        """A score on a scale from `low` to `high`, on another: `rescaled(10, 0, 10, 1, 5)` is 5."""
        if score is None:
            return None
        low, high, new_low, new_high = (_number(bound, "a bound") for bound in (low, high, new_low, new_high))
        if low >= high:
            raise ValueError("a scale must end above its beginning")
        share = (_number(score, "a score") - low) / (high - low)
        return float(round(new_low + share * (new_high - new_low), 2))

    @signature(_ANY)
    def _func_lower(self, text: Any) -> str | None:
        """In small letters."""
        return None if text is None else _text(text, "text").lower()

    @signature(_ANY)
    def _func_upper(self, text: Any) -> str | None:
        """In capitals, as ISO 4217 wants currencies."""
        return None if text is None else _text(text, "text").upper()

    @signature(_REST)
    def _func_id(self, *parts: Any) -> str | None:
        """The parts with colons between: `id('zendesk', body.ticket.id)`. Null when one of them is missing."""
        if any(part is None or part == "" for part in parts):
            return None
        return ":".join(_text(part, "part of an id") for part in parts)

    @signature(_ANY, _ANY)
    def _func_split(self, text: Any, separator: Any) -> list[str] | None:
        """The pieces of a text."""
        return None if text is None else _text(text, "text").split(_text(separator, "a separator"))

    @signature(_ANY)
    def _func_custom(self, name: Any) -> str | None:
        """A vendor's or a user's own name as a touchpoint outside the catalogue: `Song Played` is `x_song_played`."""
        if name is None:
            return None
        plain = _NOT_NAME.sub("_", _text(name, "a name").lower()).strip("_")
        return (CUSTOM_PREFIX + plain)[:_LONGEST_NAME] if plain else None

    @signature(_ANY)
    def _func_fingerprint(self, value: Any) -> str | None:
        """A hash that equal objects share, whatever the order of their fields: an id where the vendor has none."""
        return None if value is None else fingerprint({"value": value}).hex()

    @signature(_ANY)
    def _func_plain(self, text: Any) -> str | None:
        """HTML without its tags."""
        return None if text is None else _SPACES.sub(" ", html.unescape(_TAG.sub(" ", _text(text, "text")))).strip()

    @signature(_ANY)
    def _func_parsed(self, text: Any) -> Any:
        """What a text holds that is JSON itself: `parsed(body.TaskAttributes).call_sid`."""
        if text is None:
            return None
        value, problem = parse(_text(text, "JSON").encode())
        if problem is not None:
            raise ValueError(f"{text!r:.100} is not JSON")
        return value

    @signature(_ANY, _ANY)
    def _func_hmac_sha256(self, secret: Any, text: Any) -> str | None:
        """HMAC-SHA256 of a text, hexadecimal, for challenges."""
        if secret is None or text is None:
            return None
        return hmac.digest(_text(secret, "a secret").encode(), _text(text, "text").encode(), "sha256").hex()

    @signature(_ANY)
    def _func_email_id(self, address: Any) -> str | None:
        """`email:` and a hash of the address, the same from every vendor; null for what is no address."""
        return email_id(address, self._key) if isinstance(address, str) else None

    @signature(_ANY)
    def _func_phone_id(self, number: Any) -> str | None:
        """`phone:` and a hash of the number, the same from every vendor; null for what is no number."""
        return phone_id(number, self._key, self._region) if isinstance(number, str) else None


def _rfc3339(seconds: float) -> str:
    try:
        return (_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{seconds!r:.100} lies outside of what a time can be") from error


def _moment(text: Any) -> datetime:
    try:
        return datetime.fromisoformat(_text(text, "a time"))
    except ValueError as error:
        raise ValueError(f"{text!r:.100} is not a time like 2026-03-01T12:00:00Z") from error


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r:.100} is not {what}")  # noqa: TRY004 (one error for all that is wrong in a payload)
    try:
        return float(value)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{value!r:.100} is not {what}") from error


def _text(value: Any, what: str) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r:.100} is not {what}")  # noqa: TRY004
    return value if isinstance(value, str) else str(value)
