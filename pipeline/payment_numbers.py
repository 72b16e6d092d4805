"""Finds payment card numbers and IBANs in text. Pure.

A card number has a known issuer's first digits, that issuer's length and a right check digit (Luhn, ISO/IEC 7812). It
may be written in groups. A number of another meaning that has all three by chance, as about one in thirty of random
16 digits has, is taken for a card; one that fails any stays. Lengths of 12 and 13 are no longer issued, but are those
of articles (UPC, EAN), so they stay. An IBAN has its country's length and structure, and right check digits
(ISO 13616).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from stdnum import iban, luhn, numdb

SEPARATOR = r"[\s.\u2010-\u2015-]{1,3}"
SHORTEST_CARD = 14
Span = tuple[int, int]

_DIGITS = re.compile(rf"(?<!\d)\d+(?:{SEPARATOR}\d+)*")
_GROUP = re.compile(r"\d+")
_FIRST_GROUP, _OTHER_GROUPS = 4, 3
_IBAN_START = re.compile(r"(?<![A-Z])(?=([A-Z]{2})\d\d[ -]?[A-Z0-9])", re.IGNORECASE | re.ASCII)
_IBAN_NEXT = re.compile(r"[ -]?([A-Z0-9])", re.IGNORECASE | re.ASCII)

# First digits (from, to) and the lengths their cards have, as their schemes publish them.
_ISSUERS: tuple[tuple[str, str, frozenset[int]], ...] = (
    ("4", "4", frozenset({16, 19})),  # Visa
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),
    ("300", "305", frozenset({14, 16, 19})),  # Diners Club
    ("3095", "3095", frozenset({14, 16, 19})),
    ("36", "36", frozenset({14, 16, 19})),
    ("38", "39", frozenset({14, 16, 19})),
    ("6011", "6011", frozenset({16, 19})),  # Discover
    ("644", "649", frozenset({16, 19})),
    ("65", "65", frozenset({16, 19})),
    ("3528", "3589", frozenset({16, 17, 18, 19})),  # JCB
    ("62", "62", frozenset({16, 17, 18, 19})),  # UnionPay
    ("81", "82", frozenset({16})),  # UnionPay, RuPay
    ("60", "60", frozenset({16})),  # RuPay
    ("508", "508", frozenset({16})),
    ("2200", "2204", frozenset({16, 17, 18, 19})),  # Mir
    ("9792", "9792", frozenset({16})),  # Troy
    ("5018", "5018", frozenset(range(16, 20))),  # Maestro
    ("5020", "5020", frozenset(range(16, 20))),
    ("5038", "5038", frozenset(range(16, 20))),
    ("5893", "5893", frozenset(range(16, 20))),
    ("6304", "6304", frozenset(range(16, 20))),
    ("6759", "6759", frozenset(range(16, 20))),
    ("6761", "6763", frozenset(range(16, 20))),
)
_LENGTHS = {str(first): lengths for low, high, lengths in _ISSUERS for first in range(int(low), int(high) + 1)}
_FIRST_DIGITS = sorted({len(first) for first in _LENGTHS})


def is_card(digits: str) -> bool:
    """Tell whether ASCII digits, without separators, are a payment card's number."""
    known = any(len(digits) in _LENGTHS.get(digits[:first], ()) for first in _FIRST_DIGITS)
    return known and bool(luhn.is_valid(digits))


def cards(text: str) -> Iterator[Span]:
    """Where card numbers stand, from left to right, not overlapping."""
    for run in _DIGITS.finditer(text):
        groups = [(run.start() + group.start(), run.start() + group.end()) for group in _GROUP.finditer(run[0])]
        first = 0
        while first < len(groups):
            last = _last_group(text, groups, first)
            if last is not None:
                yield groups[first][0], groups[last][1]
            first = first + 1 if last is None else last + 1


def ibans(text: str) -> Iterator[Span]:
    """Where IBANs stand, from left to right, not overlapping."""
    end = 0
    for start in _IBAN_START.finditer(text):
        length = _iban_lengths().get(start[1].upper())
        if length is None or start.start() < end:
            continue
        found = _iban_at(text, start.start(), length)
        if found is not None:
            end = found
            yield start.start(), found


def ascii_digits(text: str) -> str:
    """The digits of a text, of any script, as 0 to 9."""
    return "".join(str(int(char)) for char in text if char.isdecimal())


def _last_group(text: str, groups: list[Span], first: int) -> int | None:
    """The last of the longest row of groups that begins with this one and is a card."""
    digits, found = "", None
    for index in range(first, len(groups)):
        start, end = groups[index]
        needed = _FIRST_GROUP if index == first else _OTHER_GROUPS
        digits += ascii_digits(text[start:end])
        if len(digits) > 19:
            break
        if is_card(digits):
            found = index
        if end - start < needed:
            break
    return found


def _iban_at(text: str, start: int, length: int) -> int | None:
    """Where the IBAN of that length ends that starts here, if one does."""
    end, chars = start, ""
    while len(chars) < length:
        char = _IBAN_NEXT.match(text, end)
        if char is None:
            return None
        chars += char[1]
        end = char.end()
    followed = end < len(text) and text[end].isalnum()
    return end if not followed and iban.is_valid(chars) else None


@cache
def _iban_lengths() -> dict[str, int]:
    """How many characters an IBAN of a country has."""
    known = numdb.get("iban")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    structures = {(a + b): known.info(a + b)[0][1].get("bban") for a in letters for b in letters}
    return {
        country: 4 + sum(int(part) for part in re.findall(r"(\d+)!", structure))
        for country, structure in structures.items()
        if structure
    }
