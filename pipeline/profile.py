"""The customer's profile: what all touchpoints add up to, whatever their order."""

from __future__ import annotations

from bisect import insort

from pipeline import signals
from pipeline.journeys import SENTIMENT, add_money
from pipeline.model import Record
from pipeline.signals import Kind
from pipeline.state import Profile, Step

SIGNAL_LIMIT = 8
"""Signals kept of each kind. Of each, so that one more bad experience never pushes out a worse one."""
_STARTED = frozenset({"activated", "trial_start"})


def add(profile: Profile, step: Step, record: Record) -> None:
    """Add one touchpoint, inbound or outbound."""
    moment = step[0]
    if moment < profile.first_seen_at:
        profile.first_seen_at = moment
    if step > profile.last:
        profile.last = step
    if record["direction"] == "inbound":
        profile.inbound += 1
        last, first = profile.last_inbound_at, profile.first_inbound_at
        if last is None or moment > last:
            profile.last_inbound_at = moment
        if first is None or moment < first:
            profile.first_inbound_at = moment
    else:
        profile.outbound += 1
    if record["value"] is not None:
        add_money(profile.values, record)
    if (sentiment := record["sentiment"]) is not None:
        profile.sentiment_sum += round(sentiment * SENTIMENT)
        profile.sentiment_count += 1
    if record["rating_metric"] is not None:
        _rate(profile, step, record)
    kind = signals.of(record)
    if kind is not None:
        _signal(profile, moment, kind, record)
    if record["channel"] == "subscription":
        _subscription(profile, moment, record)


def _rate(profile: Profile, step: Step, record: Record) -> None:
    metric = record["rating_metric"]
    answer = (step[0], step[1], record["rating_score"])
    profile.ratings[metric] = max(profile.ratings.get(metric, answer), answer)


def _signal(profile: Profile, moment: int, kind: Kind, record: Record) -> None:
    if signals.bought(record):
        profile.purchases += 1
        profile.returned_at = max(moment, profile.returned_at or 0)
    signal = (moment, int(kind), abs(record["sentiment"] or 0.0) if kind is Kind.NEGATIVE_MOOD else 1.0)
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
    elif touchpoint in _STARTED and signals.done(record):
        profile.returned_at = max(moment, profile.returned_at or 0)
