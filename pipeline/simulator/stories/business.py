"""Companies that buy from us: sales people, deals, webinars."""

from __future__ import annotations

from pipeline.simulator.clock import DAY, HOUR, MINUTE, OFFICE, when_open
from pipeline.simulator.diary import Diary, milliseconds

_TOPICS = ("roadmap", "getting-more", "security", "new-season")


def sales_contact(diary: Diary, at: float) -> float:
    """Talk with the account manager."""
    talk = milliseconds(diary.pause(10 * MINUTE, 60 * MINUTE))
    what = diary.pick("sales.sales_call", "sales.sales_call", "sales.meeting")
    manager = diary.person.account_manager
    diary.write(
        when_open(at, OFFICE),
        what,
        outcome="completed",
        sentiment=diary.mood(0.25),
        duration_ms=talk,
        staff_id=manager,
    )
    return at


def deal(diary: Diary, at: float) -> float:
    """Negotiate a larger purchase, from the first talk to the signature or to a polite no."""
    won = diary.chance(0.6)
    tied = {"reference": diary.reference("D"), "staff_id": diary.person.account_manager}
    amount = diary.money(8000)
    steps = ["sales.initial_contact", "sales.demo", "sales.proposal", "sales.negotiation"]
    for step in steps:
        if diary.chance(0.8):
            diary.write(at, step, attributes={"amount": f"{amount:.0f}"}, **tied)
        at = diary.later(at, 2, 6, OFFICE)
    if won:
        diary.write(at, "sales.deal_won", outcome="converted", value=amount, currency=diary.person.currency, **tied)
    else:
        diary.write(
            at,
            "sales.deal_lost",
            outcome="failed",
            attributes={"reason": diary.pick("price", "timing")},
            **tied,
        )
    return at


def webinar(diary: Diary, at: float) -> float:
    """Register for a webinar, and be there on the day or not."""
    topic = f"webinar-{diary.pick(*_TOPICS)}"
    diary.write(at, "event.webinar_registered", campaign=topic, outcome="completed")
    day = diary.later(at, 3, 12, OFFICE)
    if diary.chance(0.62):
        stayed = milliseconds(diary.pause(10 * MINUTE, HOUR))
        diary.write(day, "event.webinar_attended", campaign=topic, outcome="completed", duration_ms=stayed)
    else:
        diary.write(day, "event.no_show", campaign=topic, outcome="abandoned")
    if diary.person.is_business and diary.chance(0.2):
        what = diary.pick("event.customer_event", "event.seminar")
        diary.write(day + 7 * DAY, what, outcome="completed", campaign="customer-day")
    return at
