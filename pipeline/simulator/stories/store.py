"""In the shop: visits, advice, the till, loyalty points."""

from __future__ import annotations

from pipeline.simulator.clock import MINUTE, SHOP, when_open
from pipeline.simulator.diary import Diary, milliseconds

_OFFERS = ("double-points", "birthday", "season-end")


def store_visit(diary: Diary, at: float) -> float:
    """Walk through the shop and often end at the till."""
    at = when_open(at, SHOP)
    shop = {"store": diary.person.city}
    diary.write(at, "in_store.visit", attributes=shop, duration_ms=milliseconds(diary.pause(5 * MINUTE, 40 * MINUTE)))
    at += diary.pause(2 * MINUTE, 12 * MINUTE)
    if diary.chance(0.2):
        what = diary.pick("in_store.assistance", "in_store.assistance", "in_store.product_demo")
        diary.write(at, what, outcome="completed", staff_id=_clerk(diary), attributes=shop)
        at += diary.pause(2 * MINUTE, 10 * MINUTE)
    if diary.chance(0.05):
        diary.write(at, "link.qr_scan", campaign="shelf-label", attributes=shop)
    if diary.chance(0.62):
        at = _till(diary, at)
    elif diary.chance(0.05):
        diary.write(at, "in_store.return", outcome="completed", staff_id=_clerk(diary), attributes=shop)
    return at


def _till(diary: Diary, at: float) -> float:
    receipt = diary.reference("R")
    amount = diary.money(diary.person.segment.order_value)
    diary.write(
        at,
        "in_store.purchase",
        outcome="converted",
        value=amount,
        currency=diary.person.currency,
        reference=receipt,
        staff_id=_clerk(diary),
        attributes={"store": diary.person.city},
    )
    if diary.chance(0.75):
        diary.write(at + 5, "loyalty.points_earned", reference=receipt, attributes={"points": str(int(amount))})
    if diary.chance(0.08):
        points = {"points": str(100 * (1 + int(diary.rng.random() * 5)))}
        diary.write(at + 9, "loyalty.points_redeemed", reference=receipt, outcome="completed", attributes=points)
    return at


def store_appointment(diary: Diary, at: float) -> float:
    """Come for advice by appointment."""
    at = when_open(at, SHOP)
    talk = milliseconds(diary.pause(15 * MINUTE, 50 * MINUTE))
    diary.write(at, "in_store.appointment", outcome="completed", staff_id=_clerk(diary), duration_ms=talk)
    return store_visit(diary, at + 50 * MINUTE)


def offer(diary: Diary, at: float, taken: bool) -> float:
    """Send an offer for members, taken up or not."""
    campaign = f"offer-{diary.pick(*_OFFERS)}"
    diary.write(at, "loyalty.offer_sent", campaign=campaign)
    if taken:
        at = diary.later(at, 0.5, 5)
        diary.write(at, "loyalty.offer_redeemed", campaign=campaign, outcome="converted")
    return at


def _clerk(diary: Diary) -> str:
    return f"{diary.person.city.lower()}-{int(diary.rng.random() * 6) + 1}"
