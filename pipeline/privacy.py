"""What is done about personal data at the edge: it is masked, hashed or kept, by kind. Pure.

Every way in protects a record once it is validated and before it is encoded: collector, backfill, replay. In the
attributes, names and values, every kind is protected; in the other free text, card numbers. Ids are left alone:
whoever uses an address as a customer_id wants it there. So are the original bytes of a dead letter, since it is
replayed from them.

    mask   the match in the text becomes [email], [phone], [iban], [personal]
    hash   it becomes email:<hash> and so on (pipeline.identity_hash), so that it still joins
    keep   it stays

Card numbers and secrets always become [card] and [secret]. So does, as [phone], what is announced as a phone number but
has no normal form to be hashed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Self

from pipeline.announced import announced
from pipeline.identity_hash import email_id, identity_hash, phone_id
from pipeline.model import Record
from pipeline.payment_numbers import SHORTEST_CARD
from pipeline.personal_data import Found, find, find_cards, may_hold
from pipeline.privacy_rules import Action, actions_of
from pipeline.settings import Settings

__all__ = ["MASKING", "Privacy", "email_id", "phone_id"]

TEXT_FIELDS = ("reference", "staff_id", "campaign", "partner")
_NAME_LIMIT, _VALUE_LIMIT = 200, 1000
"""Those of validation: what is longer once hashed is cut."""


@dataclass(frozen=True)
class Privacy:
    """The rules: an action for each kind, the key of hashes, and the region of phone numbers."""

    actions: Mapping[str, Action] = field(default_factory=partial(actions_of, "mask"))
    key: str = field(default="", repr=False)
    region: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The rules that the settings ask for."""
        return cls(actions_of(settings.personal_data), settings.identity_key, settings.phone_region or None)

    def protect(self, record: Record, tally: Counter[str]) -> Record:
        """The record without what must not be kept; `tally` counts by kind what was masked or hashed.

        A record without personal data is returned as it is; none is ever changed in place.
        """
        attributes = record["attributes"]
        changed: Record = {}
        if attributes and (may_hold("\n".join(attributes.values())) or any(map(_telling, attributes))):
            changed["attributes"] = self._attributes(attributes, tally)
        for name in TEXT_FIELDS:
            text = record[name]
            if text and len(text) >= SHORTEST_CARD and may_hold(text):
                changed[name] = self._replaced(text, find_cards(text), tally)
        return {**record, **changed} if changed else record

    def _attributes(self, given: Mapping[str, str], tally: Counter[str]) -> dict[str, str]:
        kept: dict[str, str] = {}
        for name, value in given.items():
            shown = self._replaced(name, find(name, self.region), tally)[:_NAME_LIMIT] if _telling(name) else name
            found = find(value, self.region, announced(name))
            kept[_free(shown, kept, given, name)] = self._replaced(value, found, tally)[:_VALUE_LIMIT]
        return kept

    def _replaced(self, text: str, found: Sequence[Found], tally: Counter[str]) -> str:
        return "".join(self._pieces(text, found, tally)) if found else text

    def _pieces(self, text: str, found: Sequence[Found], tally: Counter[str]) -> Iterator[str]:
        position = 0
        for each in found:
            action = self.actions[each.kind]
            if action == "keep":
                continue
            tally[each.kind] += 1
            yield text[position : each.start]
            hashed = action == "hash" and each.normalized is not None
            yield f"{each.kind}:{identity_hash(each.normalized or '', self.key)}" if hashed else f"[{each.kind}]"
            position = each.end
        yield text[position:]


MASKING = Privacy()
"""Everything is masked: what holds unless the settings say otherwise."""


@lru_cache(maxsize=4096)
def _telling(name: str) -> bool:
    """Tell whether the name of an attribute announces personal data or may hold some itself."""
    return announced(name) is not None or may_hold(name) is not None


def _free(shown: str, taken: Mapping[str, str], given: Mapping[str, str], name: str) -> str:
    """A masked name that no other attribute has: [email], [email] 2 and so on."""
    if shown == name:
        return name
    free, number = shown, 1
    while free in taken or free in given:
        number += 1
        free = f"{shown} {number}"
    return free
