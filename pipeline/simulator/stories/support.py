"""Something is wrong and somebody asks for help, in one channel after the other if need be.

How well they are served is a `Care`; one reference ties together what is said in the different channels.
"""

from __future__ import annotations

from pipeline.simulator.clock import HOUR, MINUTE, OFFICE, when_open
from pipeline.simulator.diary import Diary, milliseconds
from pipeline.simulator.stories import surveys
from pipeline.simulator.stories.contacts import BUSINESS_WAYS, WAYS, Care, Case

GOOD = Care(0.7, "resolved", 0.5)
SLOW = Care(2.5, "resolved", 0.0, repeats=1)
POOR = Care(6.0, "unresolved", -0.7, repeats=1)
CURT = Care(3.0, "unresolved", -0.5)
AWFUL = Care(8.0, "escalated", -0.9, repeats=2)


def usual(diary: Diary) -> Care:
    """Draw the care a customer meets on an ordinary day."""
    luck = diary.rng.random()
    return GOOD if luck < 0.74 else SLOW if luck < 0.9 else POOR


def help_wanted(diary: Diary, at: float) -> float:
    """Look for an answer, which self-service has half of the time, and a person otherwise."""
    at = search_help(diary, at, solved=diary.chance(0.55))
    if diary.chance(0.55):
        return at
    return case(diary, at + diary.pause(2 * MINUTE, HOUR), diary.pick("how_to", "invoice", "setup"), usual(diary))


def question(diary: Diary, at: float) -> float:
    """Ask a person a simple question, answered on the spot."""
    staff = _agent(diary)
    if diary.chance(0.5):
        waited = diary.rng.expovariate(1 / 70)
        talk = diary.pause(90, 500)
        diary.write(
            when_open(at, OFFICE),
            diary.pick("phone.order_support", "phone.inquiry", "phone.inbound_call"),
            outcome="resolved",
            sentiment=diary.mood(0.2),
            wait_ms=milliseconds(waited),
            duration_ms=milliseconds(talk),
            staff_id=staff,
        )
        return at + waited + talk
    thread = diary.reference("M")
    diary.write(at, "email.inquiry", sentiment=diary.mood(0.1), reference=thread)
    replied = when_open(at + diary.pause(HOUR, 9 * HOUR), OFFICE)
    diary.write(replied, "email.sent", reference=thread, staff_id=staff, outcome="resolved", stage="service")
    return at


def search_help(diary: Diary, at: float, solved: bool) -> float:
    """Try help pages and the chatbot, before anybody is bothered."""
    found = "resolved" if solved else "unresolved"
    diary.write(at, "self_service.kb_search", attributes={"query": diary.pick("refund", "setup", "invoice", "login")})
    at += diary.pause(10, 60)
    diary.write(
        at,
        diary.pick("self_service.faq_view", "self_service.kb_article"),
        duration_ms=milliseconds(diary.pause(20, 200)),
    )
    if diary.chance(0.35):
        at += diary.pause(30, 120)
        talk = milliseconds(diary.pause(40, 300))
        diary.write(at, "self_service.chatbot_session", outcome=found, duration_ms=talk)
    return at + diary.pause(30, 200)


def case(diary: Diary, at: float, topic: str, care: Care) -> float:
    """Pursue a problem from the first contact to the survey; after poor care ask again, often elsewhere."""
    reference = diary.last_case = diary.reference("T")
    ways = list(WAYS if not diary.person.is_business else BUSINESS_WAYS)
    diary.rng.shuffle(ways)
    staff = _agent(diary)
    for turn in range(care.repeats + 1):
        last = turn == care.repeats
        at = ways[turn % len(ways)](diary, at, Case(topic, reference, care, staff, last))
        if not last:
            at = diary.later(at, 0.6, 3.0)
    metric = diary.pick("csat", "csat", "ces")
    surveys.ask(diary, at + diary.pause(HOUR, 12 * HOUR), metric, care.felt, reference)
    return at


def _agent(diary: Diary) -> str:
    return f"agent-{int(diary.rng.random() * 24) + 1:02d}"
