"""One contact about a problem, in each of the channels in which people ask for help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.simulator.clock import DAY, HOUR, MINUTE, OFFICE, SHOP, when_open
from pipeline.simulator.diary import Diary, milliseconds

Contact = Callable[[Diary, float, "Case"], float]


@dataclass(frozen=True)
class Care:
    """How well somebody is served: times the usual wait, how it ends, and how it feels (-1 to 1)."""

    wait: float
    outcome: str
    felt: float
    repeats: int = 0


@dataclass(frozen=True)
class Case:
    """One problem on its way through the channels."""

    topic: str
    reference: str
    care: Care
    staff: str
    last: bool

    @property
    def outcome(self) -> str:
        """What this contact ends with: all but the last leave the matter open."""
        return self.care.outcome if self.last else "unresolved"


def _ticket(diary: Diary, at: float, case: Case) -> float:
    """Open a ticket, which is answered in working hours, then closed, passed up or left lying."""
    tied = {"reference": case.reference, "attributes": {"topic": case.topic}}
    diary.write(at, "helpdesk.ticket_opened", sentiment=diary.mood(min(0.0, case.care.felt)), **tied)
    waited = case.care.wait * diary.pause(1.5 * HOUR, 5 * HOUR)
    replied = when_open(at + waited, OFFICE)
    diary.write(replied, "helpdesk.ticket_reply", wait_ms=milliseconds(replied - at), staff_id=case.staff, **tied)
    end = replied + diary.pause(HOUR, DAY)
    if case.outcome == "resolved":
        end = when_open(end, OFFICE)
        took = milliseconds(end - at)
        diary.write(end, "helpdesk.ticket_resolved", outcome="resolved", duration_ms=took, staff_id=case.staff, **tied)
        return end
    if case.outcome == "escalated":
        mood = diary.mood(case.care.felt)
        diary.write(end, "helpdesk.ticket_escalated", outcome="escalated", sentiment=mood, staff_id=case.staff, **tied)
        return end
    if diary.chance(0.5):
        end = when_open(end, OFFICE)
        diary.write(end, "helpdesk.ticket_resolved", outcome="resolved", staff_id=case.staff, **tied)
        end = diary.later(end, 0.3, 2.0)
        diary.write(
            end,
            "helpdesk.ticket_reopened",
            outcome="unresolved",
            sentiment=diary.mood(case.care.felt),
            **tied,
        )
    return end


def _call(diary: Diary, at: float, case: Case) -> float:
    """Telephone in working hours: a menu, a queue, a talk, or hanging up in the queue."""
    at = when_open(at, OFFICE) + diary.pause(0, 20 * MINUTE)
    waited = case.care.wait * diary.pause(40, 160)
    diary.write(at, "self_service.ivr", duration_ms=milliseconds(diary.pause(15, 60)), reference=case.reference)
    at += 60 + waited
    if case.outcome == "unresolved" and diary.chance(0.35):
        diary.write(
            at,
            "phone.call_abandon",
            outcome="abandoned",
            wait_ms=milliseconds(waited),
            reference=case.reference,
        )
        return at
    talk = diary.pause(2 * MINUTE, 14 * MINUTE)
    diary.write(
        at,
        "phone.complaint" if case.care.felt < -0.3 and diary.chance(0.6) else "phone.inbound_call",
        outcome=case.outcome,
        sentiment=diary.mood(case.care.felt),
        wait_ms=milliseconds(waited),
        duration_ms=milliseconds(talk),
        reference=case.reference,
        staff_id=case.staff,
        attributes={"topic": case.topic},
    )
    return at + talk


def _chat(diary: Diary, at: float, case: Case) -> float:
    """Chat with a person: started, a few lines, perhaps handed over, ended or given up."""
    tied = {"reference": case.reference}
    waited = case.care.wait * diary.pause(10, 70)
    diary.write(at, "live_chat.chat_start", attributes={"topic": case.topic}, **tied)
    begun, at = at, at + waited
    if case.outcome == "unresolved" and diary.chance(0.35):
        diary.write(at, "live_chat.chat_abandon", outcome="abandoned", wait_ms=milliseconds(waited), **tied)
        return at
    for _ in range(1 + int(diary.rng.expovariate(0.7))):
        at += diary.pause(20, 120)
        diary.write(at, "live_chat.chat_message", sentiment=diary.mood(case.care.felt), **tied)
    if case.outcome == "escalated":
        diary.write(at + 10, "live_chat.chat_handover", outcome="escalated", staff_id=case.staff, **tied)
    diary.write(
        at + 30,
        "live_chat.chat_end",
        outcome=case.outcome,
        wait_ms=milliseconds(waited),
        duration_ms=milliseconds(at + 30 - begun),
        staff_id=case.staff,
        **tied,
    )
    return at + 30


def _mail(diary: Diary, at: float, case: Case) -> float:
    """Write a mail, to be answered the same day or days later."""
    what = "email.complaint" if case.care.felt < -0.3 else "email.inquiry"
    diary.write(
        at,
        what,
        sentiment=diary.mood(case.care.felt),
        reference=case.reference,
        attributes={"topic": case.topic},
    )
    replied = when_open(at + case.care.wait * diary.pause(2 * HOUR, 7 * HOUR), OFFICE)
    if case.outcome != "escalated":
        diary.write(
            replied,
            "email.sent",
            outcome=case.outcome,
            wait_ms=milliseconds(replied - at),
            reference=case.reference,
            staff_id=case.staff,
            stage="service",
        )
        return replied
    diary.write(replied, "helpdesk.supervisor_involved", outcome="escalated", reference=case.reference)
    return replied


def _message(diary: Diary, at: float, case: Case) -> float:
    """Write on a social network, in public or by message."""
    what = "social.complaint" if case.care.felt < -0.3 and diary.chance(0.5) else "social.direct_message"
    network = {"network": diary.pick("chirp", "photogram"), "topic": case.topic}
    mood = diary.mood(case.care.felt)
    diary.write(at, what, outcome=case.outcome, sentiment=mood, reference=case.reference, attributes=network)
    return at + diary.pause(10 * MINUTE, 2 * HOUR)


def _desk(diary: Diary, at: float, case: Case) -> float:
    """Go to the service desk of the shop in town."""
    at = when_open(at, SHOP) + diary.pause(0, 2 * HOUR)
    waited = case.care.wait * diary.pause(60, 240)
    diary.write(
        at,
        "in_store.service_desk",
        outcome=case.outcome,
        sentiment=diary.mood(case.care.felt),
        wait_ms=milliseconds(waited),
        duration_ms=milliseconds(diary.pause(180, 900)),
        reference=case.reference,
        staff_id=f"{diary.person.city.lower()}-{int(diary.rng.random() * 6) + 1}",
        attributes={"store": diary.person.city, "topic": case.topic},
    )
    return at + waited + 600


WAYS: tuple[Contact, ...] = (_ticket, _ticket, _call, _call, _chat, _chat, _mail, _message, _desk)
BUSINESS_WAYS: tuple[Contact, ...] = (_ticket, _ticket, _ticket, _call, _call, _mail)
