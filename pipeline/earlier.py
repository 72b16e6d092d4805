"""Profiles as earlier versions of the product stored them, and what becomes of them. Pure.

The first layout kept a magnitude with a signal instead of its touchpoint, one answer a metric, and no calendar. What it
did not keep cannot be made up: the calendar has the first and the latest day alone until a rebuild
(`touchline rebuild --all`) or time has filled it.
"""

from __future__ import annotations

import msgspec

from pipeline.rhythm import add
from pipeline.state import Journey, Profile, State, Step


class _Profile(msgspec.Struct, array_like=True):
    first_seen_at: int
    last: Step
    last_inbound_at: int | None = None
    first_inbound_at: int | None = None
    inbound: int = 0
    outbound: int = 0
    visits: int = 0
    journeys: int = 0
    purchases: int = 0
    values: dict[str, int] = {}
    sentiment_sum: int = 0
    sentiment_count: int = 0
    ratings: dict[str, tuple[int, bytes, float]] = {}
    signals: list[tuple[int, int, float]] = []
    cancelled_at: int | None = None
    returned_at: int | None = None


class _State(msgspec.Struct, array_like=True):
    epoch: int
    offset: int
    latest: int
    floor: int
    hours: list[int]
    counts: list[int]
    seen: bytes
    journeys: list[Journey]
    profile: _Profile
    level: str | None = None
    rebuilt: int | None = None


_state = msgspec.msgpack.Decoder(_State)
_profile = msgspec.json.Decoder(_Profile)


def state_of(data: bytes) -> State:
    """A state from the bytes of the first layout. Raises msgspec.DecodeError for any others."""
    old = _state.decode(data)
    fields = {name: getattr(old, name) for name in old.__struct_fields__}
    return State(**{**fields, "profile": _upgraded(old.profile)})


def profile_of(text: bytes | str) -> Profile:
    """A profile from its JSON of the first layout. Raises msgspec.DecodeError for any other."""
    return _upgraded(_profile.decode(text))


def _upgraded(old: _Profile) -> Profile:
    kept = {name: getattr(old, name) for name in old.__struct_fields__ if name not in {"ratings", "signals"}}
    made = Profile(**kept)
    made.answers = {metric: [(*answer, "")] for metric, answer in old.ratings.items()}
    made.signals = [(moment, kind, b"", "") for moment, kind, _ in old.signals]
    return with_calendar(made)


def with_calendar(profile: Profile) -> Profile:
    """The profile with the two days of its calendar that are known."""
    for moment in (profile.first_inbound_at, profile.last_inbound_at):
        if moment is not None:
            add(profile, moment, calm=True)
    return profile
