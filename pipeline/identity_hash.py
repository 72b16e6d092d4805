"""E-mail addresses and phone numbers as pseudonyms: equal people get equal ids, and nobody's address is kept.

`email:<hash>` or `phone:<hash>`, the hash being the first 32 hex digits (128 bits) of HMAC-SHA256 under the identity
key of the normalised text in UTF-8. Without a key it is plain SHA-256, which is **guessable**: whoever has a list of
addresses, or the time to try all phone numbers, finds out whose hash it is. With another key nothing joins any more.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from unicodedata import normalize

from phonenumbers import NumberParseException, PhoneNumberFormat, format_number, is_valid_number, parse

HASH_DIGITS = 32
EMAIL_LIMIT = 254
"""The longest address that mail can be sent to (RFC 5321 with erratum 1690), in characters."""
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
EMAIL = rf"[\w.!#$%&'*+/=?^`{{|}}~-]{{1,64}}@(?:{_LABEL}\.)+(?:[^\W\d_]{{2,24}}|xn--[a-z0-9-]{{2,59}})"
"""An address as people have them: no quoted local part, no bare host, no address literal."""
_EMAIL = re.compile(EMAIL, re.IGNORECASE)
_NAMED = re.compile(r"[^<>]*<([^<>]+)>")
_PHONE = re.compile(r"(?:(?:tel|sms|callto|whatsapp):)?\s*([+\uff0b(]?[\d\s()./\u2010-\u2015-]{5,40})", re.IGNORECASE)


def email_id(text: str, key: str) -> str | None:
    """`email:<hash>` of an address, also given as `Name <address>`; None when it is none.

    `Ada@Example.com` and ` ada@example.com` are the same one: case and compatibility forms (NFKC) do not count.
    """
    address = normalized_email(text)
    return None if address is None else f"email:{identity_hash(address, key)}"


def phone_id(text: str, key: str, region: str | None) -> str | None:
    """`phone:<hash>` of a phone number that can exist; None when it is none.

    `region` (ISO 3166, like DE) is that of numbers without a country code; without one, only +... is a number.
    """
    number = normalized_phone(text, region)
    return None if number is None else f"phone:{identity_hash(number, key)}"


def identity_hash(normalized: str, key: str) -> str:
    """The keyed hash of what is normalised already, 32 hex digits; without a key, the plain one."""
    text = normalized.encode("utf-8", "surrogatepass")
    digest = hmac.digest(key.encode(), text, "sha256") if key else hashlib.sha256(text).digest()
    return digest.hex()[:HASH_DIGITS]


def normalized_email(text: str) -> str | None:
    """An address in lower case and NFKC, without what stands around it."""
    shown = normalize("NFKC", text).strip().lower()
    if named := _NAMED.fullmatch(shown):
        shown = named[1].strip()
    if len(shown) > EMAIL_LIMIT or not _EMAIL.fullmatch(shown):
        return None
    return shown


def normalized_phone(text: str, region: str | None) -> str | None:
    """A phone number in E.164, like +494012345678; an extension is no part of it."""
    shown = _PHONE.fullmatch(text.strip())
    if shown is None:
        return None
    try:
        number = parse(shown[1], region or None)
    except NumberParseException:
        return None
    return format_number(number, PhoneNumberFormat.E164) if is_valid_number(number) else None
