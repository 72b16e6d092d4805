"""Finds personal data in text: e-mail addresses, phone numbers, payment card numbers, IBANs. Pure.

Only numbers that can exist are found: those with right check digits, and phone numbers of an assigned range, written
with their country code (+...) or, when a region is given, as people there write them. UUIDs, hashes and times are
neither cards nor phones. E-mail addresses are found within URLs, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import normalize
from urllib.parse import unquote

from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher, format_number

from pipeline.identity_hash import HASH_DIGITS, normalized_email
from pipeline.payment_numbers import Span, ascii_digits, cards, ibans

KINDS = ("email", "phone", "iban", "card", "personal", "secret")
"""The last two are known by their attribute's name only: names, addresses, birthdays; passwords, card codes."""

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_AT = re.compile("[@\uff20\ufe6b]|%40")
_EMAIL = re.compile(rf"\w[\w.%+'-]{{0,63}}(?:{_AT.pattern})(?:{_LABEL}\.)+(?:xn--[\w-]{{2,59}}|[^\W\d_]{{2,24}})")
_OPAQUE = re.compile(
    r"(?<![0-9a-z])(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?=[0-9]*[a-f])[0-9a-f]{20,}"
    r"|\d{4}-\d\d-\d\d(?:[t ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:[+-]\d\d:?\d\d)?)?)(?![0-9a-z])",
    re.IGNORECASE | re.ASCII,
)
_PHONE_SHAPE = re.compile(r"\s*[+\uff0b(]?\d(?:[\s()./\u2010-\u2015-]{0,3}\d){6,14}\s*")
_DONE = re.compile(rf"\[(?:{'|'.join(KINDS)})\]|(?:{'|'.join(KINDS)}):[0-9a-f]{{{HASH_DIGITS}}}")
"""What was masked or hashed before: it comes in again when a record is replayed."""
_PHONE_TRIES = 20
"""Numbers of a text that may turn out to be no phone's before no more are tried: a list of numbers costs time."""
SHORTEST_ANNOUNCED = 12
"""Digits from which a value that its name announces as a card number is one, whatever its check digit says."""
_FLAGS = frozenset({"true", "false", "yes", "no", "y", "n", "0", "1", "null", "none"})

may_hold = re.compile(
    "[@%\uff20\ufe6b0-9\uff10-\uff19\u0660-\u0669\u06f0-\u06f9]"
    r"(?:(?<=[@\uff20\ufe6b])|(?<=%)40|(?<=\d)(?:[\W_]{0,3}\d){7})"
).search
"""A quick look: a text in which this finds nothing holds no e-mail address, and fewer than eight digits in a row."""


@dataclass(frozen=True)
class Found:
    """Personal data in a text, from `start` to before `end`; `normalized` is what its hash is made of, if any is."""

    start: int
    end: int
    kind: str
    normalized: str | None = None


def find(text: str, region: str | None = None, announced: str | None = None) -> tuple[Found, ...]:
    """All personal data in a text, in order, not overlapping.

    `region` (ISO 3166) is that of phone numbers without a country code. `announced` is the kind that the attribute's
    name promises (pipeline.announced).
    """
    if announced is not None and (whole := _whole(text, announced)):
        return (whole,)
    if not may_hold(text):
        return ()
    found: list[Found] = []
    for each in _unmistakable(text):
        _add(found, each)
    for each in _phones(_without(text, found), region):
        _add(found, each)
    if not found and announced == "phone" and _PHONE_SHAPE.fullmatch(text):
        return (Found(0, len(text), "phone"),)
    return tuple(sorted(found, key=lambda each: each.start))


def find_cards(text: str) -> tuple[Found, ...]:
    """The payment card numbers of a text, in order."""
    found = (Found(start, end, "card") for start, end in cards(text))
    return tuple(each for each in found if not any(a <= each.start and each.end <= b for a, b in _opaque(text)))


def _whole(text: str, announced: str) -> Found | None:
    """A value that is personal as a whole, because of its name."""
    shown = normalize("NFKC", text).strip().lower()
    if _DONE.fullmatch(shown):
        return None
    if announced == "personal" and any(cards(text)):
        return Found(0, len(text), "card")
    if announced in {"personal", "secret"}:
        return Found(0, len(text), announced, shown) if shown and shown not in _FLAGS else None
    if announced == "card" and len(ascii_digits(text)) >= SHORTEST_ANNOUNCED:
        return Found(0, len(text), "card")
    return None


def _unmistakable(text: str) -> Iterator[Found]:
    """What has check digits or an @, the surest first."""
    yield from (Found(start, end, "iban", _compact(text[start:end])) for start, end in ibans(text))
    yield from find_cards(text)
    if _AT.search(text):
        for match in _EMAIL.finditer(text):
            yield Found(*match.span(), "email", normalized_email(unquote(match[0])))


def _phones(text: str, region: str | None) -> Iterator[Found]:
    if not region and "+" not in text and "\uff0b" not in text:
        return
    for match in PhoneNumberMatcher(text, region or None, leniency=Leniency.VALID, max_tries=_PHONE_TRIES):
        raw = match.raw_string
        span = match.start, match.end
        telling = raw[0] in "+\uff0b0" or not raw.isdecimal()  # bare digits are rather some other number
        if telling and not any(_overlap(each, span) for each in _opaque(text)):
            yield Found(*span, "phone", format_number(match.number, PhoneNumberFormat.E164))


def _without(text: str, found: list[Found]) -> str:
    """The text with a stroke for each character found: so that its letters hide no number beside it."""
    for each in found:
        text = text[: each.start] + "|" * (each.end - each.start) + text[each.end :]
    return text


def _opaque(text: str) -> Iterator[Span]:
    """Where UUIDs, hashes and times stand."""
    return (match.span() for match in _OPAQUE.finditer(text))


def _compact(iban: str) -> str:
    return "".join(char for char in iban if char.isalnum()).upper()


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _add(found: list[Found], new: Found) -> None:
    """Add what stands apart; what overlaps with surer data becomes one with it, so that no piece of it is left over."""
    span = new.start, new.end
    touching = [old for old in found if _overlap((old.start, old.end), span)]
    if any(old.start <= new.start and new.end <= old.end for old in touching):
        return
    if touching:
        joined = [*touching, new]
        kind = "card" if any(each.kind == "card" for each in joined) else touching[0].kind
        new = Found(min(each.start for each in joined), max(each.end for each in joined), kind)
    found[:] = [old for old in found if old not in touching] + [new]
