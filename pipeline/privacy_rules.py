"""The rules of privacy as settings give them: an action for each kind of personal data. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, cast, get_args

from phonenumbers import SUPPORTED_REGIONS

from pipeline.personal_data import KINDS

Action = Literal["mask", "hash", "keep"]
_ALWAYS_MASKED = frozenset({"card", "secret"})
_CHOICES = tuple(kind for kind in KINDS if kind not in _ALWAYS_MASKED)


def actions_of(text: str) -> Mapping[str, Action]:
    """Read `hash` or `mask,email=hash,phone=keep`. Raises ValueError that names what is wrong."""
    actions: dict[str, Action] = dict.fromkeys(KINDS, "mask")
    for part in filter(None, (part.strip() for part in text.lower().split(","))):
        kind, equals, action = part.rpartition("=")
        if action not in get_args(Action) or (equals and kind not in _CHOICES):
            raise ValueError(
                f"{part!r} is neither mask, hash or keep nor one of these for a kind ({', '.join(_CHOICES)}), "
                "like mask,email=hash"
            )
        actions.update(dict.fromkeys([kind] if equals else _CHOICES, cast(Action, action)))
    return MappingProxyType(actions)


def known_actions(text: str) -> str:
    """The text itself, if it can be read. Raises ValueError."""
    actions_of(text)
    return text


def known_region(text: str) -> str:
    """A country code in capitals, or nothing. Raises ValueError."""
    if text and text.upper() not in SUPPORTED_REGIONS:
        raise ValueError(f"{text!r} is no country code (ISO 3166), like DE or US")
    return text.upper()
