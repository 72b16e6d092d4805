"""The customer's profile: what all touchpoints add up to, whatever their order."""

from __future__ import annotations

from bisect import insort

from pipeline import derived, rhythm, signals
from pipeline.journeys import SENTIMENT, add_money
from pipeline.model import Record
from pipeline.signals import GOOD, Kind
from pipeline.state import Profile, Step

SIGNAL_LIMIT = 8
"""Signals kept of each kind. Of each, so that one more bad experience never pushes out a worse one."""
SEGMENT = "segment"
"""The attribute by which a company says who a customer is to it; alerts are routed by it."""
SEGMENT_LIMIT = 200
_STARTED = frozenset({"activated", "trial_start"})
_ONBOARDING = frozenset({"trial_start", "onboarding_step"})


def add(profile: Profile, step: Step, record: Record) -> None:
    """Add one touchpoint, inbound or outbound."""
    moment = step[0]
    if moment < profile.first_seen_at:
        profile.first_seen_at = moment
    if step > profile.last:
        profile.last = step
    kind = signals.of(record)
    if record["direction"] == "inbound":
        _inbound(profile, moment, kind, record)
    else:
        profile.outbound += 1
    if record["value"] is not None:
        add_money(profile.values, record)
    if (sentiment := record["sentiment"]) is not None:
        profile.sentiment_sum += round(sentiment * SENTIMENT)
        profile.sentiment_count += 1
        derived.mood(profile, step, sentiment)
    if record["rating_metric"] is not None:
        derived.rating(profile, step, record)
    if record["channel"] in derived.CONTACTS:
        derived.contact(profile, step, kind, record)
    if kind is not None:
        _signal(profile, step, kind, record)
    if record["channel"] == "subscription":
        _subscription(profile, moment, record)
    if (attributes := record.get("attributes")) and SEGMENT in attributes:
        named = (moment, step[1], attributes[SEGMENT][:SEGMENT_LIMIT])
        if profile.segment is None or named > profile.segment:
            profile.segment = named


def _inbound(profile: Profile, moment: int, kind: Kind | None, record: Record) -> None:
    profile.inbound += 1
    last, first = profile.last_inbound_at, profile.first_inbound_at
    if last is None or moment > last:
        profile.last_inbound_at = moment
    if first is None or moment < first:
        profile.first_inbound_at = moment
    rhythm.add(profile, moment, kind is None or kind >= GOOD or signals.bought(record))


def _signal(profile: Profile, step: Step, kind: Kind, record: Record) -> None:
    moment = step[0]
    if signals.bought(record):
        profile.purchases += 1
        profile.returned_at = max(moment, profile.returned_at or 0)
        profile.settled_at = max(moment, profile.settled_at or 0)
    signal = (moment, int(kind), step[1], step[2])
    newest = profile.signals
    if not newest or signal >= newest[-1]:
        newest.append(signal)
    else:
        insort(newest, signal)
    if len(newest) > SIGNAL_LIMIT:
        alike = [other for other in newest if other[1] == kind]
        if len(alike) > SIGNAL_LIMIT:
            newest.remove(alike[0])


def _subscription(profile: Profile, moment: int, record: Record) -> None:
    touchpoint = record["touchpoint"]
    if touchpoint == "cancelled":
        profile.cancelled_at = max(moment, profile.cancelled_at or 0)
        return
    if not signals.done(record):
        return
    if touchpoint in _STARTED:
        profile.returned_at = max(moment, profile.returned_at or 0)
    if touchpoint in _ONBOARDING:
        profile.onboarding_at = max(moment, profile.onboarding_at or 0)
    elif touchpoint == "activated":
        profile.settled_at = max(moment, profile.settled_at or 0)
