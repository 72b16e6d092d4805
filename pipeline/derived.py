"""Signals that no touchpoint shows alone: contacts repeated, ratings and moods that fell. Pure.

Each is worked out anew from what is kept (the newest contacts, the two latest answers), which is the same in any order
of arrival; so the signals are, too.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from zlib import crc32

from pipeline.model import Record
from pipeline.signals import GOOD, Kind
from pipeline.state import Answer, Contact, Profile, Signal, Step

CONTACT_LIMIT = 8
"""Contacts kept, the newest."""
REPEATED_WITHIN = 7 * 86_400_000
SAME_CONVERSATION = 3_600_000
"""Contacts closer than this are one: a call and the ticket it opened."""
FALL = {"nps": 3.0, "csat": 1.0, "ces": 2.0, "mood": 0.5}
"""By how much the latest answer is below the one before to be called a fall, on the scale of each metric."""
CONTACTS = {
    "phone": {"inbound_call", "order_support", "inquiry", "complaint", "call_abandon", "voicemail"},
    "live_chat": {"chat_start", "chat_abandon"},
    "helpdesk": {"ticket_opened", "ticket_reopened"},
    "email": {"inquiry", "complaint"},
    "social": {"direct_message", "complaint"},
    "in_store": {"service_desk"},
    "subscription": {"billing_inquiry"},
}


def contact(profile: Profile, step: Step, kind: Kind | None, record: Record) -> None:
    """Take note of a customer who asks for something; one who was helped well asks for nothing more."""
    names = CONTACTS.get(record["channel"])
    if names is None or record["touchpoint"] not in names or (kind is not None and kind >= GOOD):
        return
    reference = record["reference"]
    insort(profile.contacts, (*step, record["channel"], crc32(reference.encode()) if reference else 0))
    del profile.contacts[:-CONTACT_LIMIT]
    if len(profile.contacts) > 1:
        _replace(profile, Kind.REPEATED, _repeated(profile.contacts))


def _repeated(contacts: list[Contact]) -> Iterable[Signal]:
    """Every contact that follows an earlier one in the same channel or about the same reference within a week."""
    for place, (moment, event_id, name, channel, reference) in enumerate(contacts):
        for before, _, _, other, about in contacts[:place]:
            same = channel == other or (reference and reference == about)
            if same and SAME_CONVERSATION <= moment - before <= REPEATED_WITHIN:
                yield moment, int(Kind.REPEATED), event_id, name
                break


def rating(profile: Profile, step: Step, record: Record) -> None:
    """Keep the answer to a survey among the two latest of its metric."""
    _answer(profile, record["rating_metric"], (step[0], step[1], record["rating_score"], step[2]), Kind.RATING_FELL)


def mood(profile: Profile, step: Step, sentiment: float) -> None:
    """Keep a mood among the two latest."""
    _answer(profile, "mood", (step[0], step[1], sentiment, step[2]), Kind.MOOD_FELL)


def _answer(profile: Profile, metric: str, answer: Answer, kind: Kind) -> None:
    known = profile.answers.get(metric)
    if known is None:
        profile.answers[metric] = [answer]
        return
    if len(known) == 2 and answer < known[1]:
        return
    known.append(answer)
    known.sort(reverse=True)
    del known[2:]
    _replace(profile, kind, _fallen(profile, kind))


def _fallen(profile: Profile, kind: Kind) -> Iterable[Signal]:
    """Falls from the answer before to the latest, dated by the one before.

    So a good answer, which takes as much away and fades as slowly, never raises a score by what follows it.
    """
    for metric in ("mood",) if kind is Kind.MOOD_FELL else ("nps", "csat", "ces"):
        known = profile.answers.get(metric, ())
        if len(known) == 2 and known[0][2] <= known[1][2] - FALL[metric]:
            yield known[1][0], int(kind), known[0][1], known[0][3]


def _replace(profile: Profile, kind: Kind, found: Iterable[Signal]) -> None:
    wanted = sorted(found)
    if wanted or any(signal[1] == kind for signal in profile.signals):
        profile.signals = sorted([signal for signal in profile.signals if signal[1] != kind] + wanted)
