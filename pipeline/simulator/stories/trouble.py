"""Bad experiences, each a story of its own: a spoilt order, a useless help desk, a poor day in the shop."""

from __future__ import annotations

from pipeline.simulator.clock import DAY, HOUR, SHOP, when_open
from pipeline.simulator.diary import Diary
from pipeline.simulator.stories import browsing, orders, store, support
from pipeline.simulator.stories.contacts import Care


def bad_experience(diary: Diary, at: float) -> float:
    """Have one that this kind of customer may meet."""
    kind = diary.person.segment.name
    if kind == "store_regular":
        return bad_shopping(diary, at) if diary.chance(0.7) else bad_help(diary, at)
    if kind in {"subscriber", "business", "newcomer"}:
        return bad_help(diary, at)
    return bad_order(diary, at) if diary.chance(0.65) else bad_help(diary, at)


def bad_order(diary: Diary, at: float) -> float:
    """Buy something that comes late, broken or never; be served badly when asking, or not ask."""
    arrived, fault = _spoilt_order(diary, at)
    if diary.chance(0.25):
        return arrived
    return support.case(diary, arrived + diary.pause(HOUR, DAY), fault, _badly(diary))


def silent_fault(diary: Diary, at: float) -> float:
    """Meet something that goes wrong, and tell nobody."""
    if diary.person.segment.name == "store_regular":
        return bad_shopping(diary, at, pursues=False)
    if diary.person.segment.name == "subscriber":
        return annoyance(diary, at)
    return _spoilt_order(diary, at)[0]


def _spoilt_order(diary: Diary, at: float) -> tuple[float, str]:
    at = browsing.look(diary, browsing.arrive(diary, at), 2)
    reference = diary.reference("O")
    amount = diary.money(diary.person.segment.order_value)
    diary.write(
        at,
        "web.purchase",
        outcome="converted",
        reference=reference,
        value=amount,
        currency=diary.person.currency,
    )
    fault = diary.pick("delayed", "delayed", "damaged", "lost")
    return orders.deliver(diary, at, reference, fault), fault


def bad_help(diary: Diary, at: float) -> float:
    """Ask a question that nobody answers properly."""
    if diary.chance(0.4):
        at = support.search_help(diary, at, solved=False)
    return support.case(diary, at, diary.pick("invoice", "login", "defect", "contract"), _badly(diary))


def bad_shopping(diary: Diary, at: float, pursues: bool = True) -> float:
    """Take goods back to the shop, after a long wait, to no avail; perhaps pursue it elsewhere."""
    at = when_open(at, SHOP)
    town = {"store": diary.person.city}
    diary.write(at, "in_store.visit", attributes=town)
    at += diary.pause(HOUR / 4, HOUR)
    mood = diary.mood(-0.7)
    waited = int(diary.pause(600_000, 2_400_000))
    diary.write(at, "in_store.return", outcome="unresolved", sentiment=mood, wait_ms=waited, attributes=town)
    if pursues and diary.chance(0.6):
        return support.case(diary, diary.later(at, 0.5, 2), "return", _badly(diary))
    return at


def annoyance(diary: Diary, at: float) -> float:
    """Meet a smaller thing gone wrong: a queue, a failing checkout."""
    kind = diary.rng.random()
    if diary.person.segment.name == "store_regular":
        return store.store_visit(diary, at)
    if kind < 0.5:
        diary.write(at, "web.checkout_start")
        diary.write(at + 80, "web.checkout_error", outcome="failed", attributes={"error": "card"})
        diary.write(at + 200, "web.cart_abandon", outcome="abandoned")
    else:
        diary.write(at, "self_service.ivr", duration_ms=40_000)
        diary.write(at + 200, "self_service.ivr_abandon", outcome="abandoned")
    return at + 200


def _badly(diary: Diary) -> Care:
    luck = diary.rng.random()
    return support.AWFUL if luck < 0.25 else support.POOR if luck < 0.65 else support.CURT
