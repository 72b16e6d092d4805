"""A company small enough to be worked out by hand: who came by which channel, when, and what became of it.

All of it happened in March and April 2026, so that nothing is open any more, and each customer's part lies within 90
days. It comes in at one moment after that, whatever the order, so that risk is scored for that moment. What the views
should say of it is written beside the tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from tests.integration.questions_world import Log, World, moment, touch, world
from tests.integration.sinks_samples import Sample

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
EUR, USD = {"currency": "EUR"}, {"currency": "USD"}
RECEIVED = {"received_at": moment("2026-04-05 00:00")}


def cart(value: str, currency: str) -> dict[str, dict[str, str]]:
    """What a cart says of its worth."""
    return {"attributes": {"cart_value": value, "cart_currency": currency}}


def step(name: str, outcome: str = "completed") -> dict[str, object]:
    """A step of the onboarding."""
    return {"outcome": outcome, "attributes": {"step": name}}


# Buys at once, gets it, and has one question, answered on the spot.
ANN = [
    touch("ann", "2026-03-02 09:00", "web.landing_page"),
    touch("ann", "2026-03-02 09:05", "web.product_view"),
    touch("ann", "2026-03-02 09:10", "web.cart_add", **cart("100.00", "EUR")),
    touch("ann", "2026-03-02 09:15", "web.checkout_start"),
    touch("ann", "2026-03-02 09:20", "web.purchase", outcome="converted", value=100.0, reference="O-1", **EUR),
    touch("ann", "2026-03-03 10:00", "delivery.shipped", reference="O-1"),
    touch("ann", "2026-03-05 10:00", "delivery.delivered", outcome="completed", reference="O-1"),
    touch(
        "ann", "2026-03-06 10:00", "phone.inquiry", outcome="resolved", sentiment=0.4, wait_ms=30_000, reference="T-1"
    ),
]
# Leaves a cart, is reminded and buys; then one problem goes through three channels and is never solved.
BOB = [
    touch("bob", "2026-03-02 12:00", "email.open"),
    touch("bob", "2026-03-02 12:05", "web.cart_add", **cart("40.00", "EUR")),
    touch("bob", "2026-03-02 12:06", "web.cart_add", **cart("50.00", "EUR")),
    touch("bob", "2026-03-02 12:10", "web.cart_abandon", outcome="abandoned"),
    touch("bob", "2026-03-04 09:00", "email.reminder"),
    touch("bob", "2026-03-04 09:30", "web.checkout_start"),
    touch("bob", "2026-03-04 09:40", "web.purchase", outcome="converted", value=50.0, sentiment=0.5, **EUR),
    touch(
        *("bob", "2026-03-10 09:00", "phone.complaint"),
        **{"outcome": "unresolved", "sentiment": -0.6, "wait_ms": 10 * MINUTE, "reference": "T-2"},
    ),
    touch("bob", "2026-03-11 09:00", "live_chat.chat_start", reference="T-2"),
    touch(
        *("bob", "2026-03-11 09:10", "live_chat.chat_end"),
        **{"outcome": "unresolved", "sentiment": -0.5, "wait_ms": MINUTE, "reference": "T-2"},
    ),
    touch("bob", "2026-03-12 09:00", "helpdesk.ticket_opened", reference="T-2"),
    touch("bob", "2026-03-12 15:00", "helpdesk.ticket_reply", wait_ms=6 * HOUR, reference="T-2"),
    touch(
        *("bob", "2026-03-13 09:00", "helpdesk.ticket_escalated"),
        **{"outcome": "escalated", "sentiment": -0.8, "reference": "T-2"},
    ),
]
# Fills a cart before anybody knows who it is, comes back two days later, fails, and buys in the shop.
CID = [
    touch("anon:device-1", "2026-03-03 20:00", "web.landing_page", anonymous_id="device-1"),
    touch("anon:device-1", "2026-03-03 20:10", "web.cart_add", anonymous_id="device-1", **cart("80.00", "USD")),
    touch("cid", "2026-03-05 18:00", "web.checkout_start", anonymous_id="device-1"),
    touch("cid", "2026-03-05 18:05", "web.checkout_error", outcome="failed"),
    touch("cid", "2026-03-05 19:00", "in_store.purchase", outcome="converted", value=75.0, sentiment=0.6, **USD),
    touch("cid", "2026-03-08 10:00", "in_store.service_desk", outcome="resolved", sentiment=-0.4, wait_ms=2 * MINUTE),
]
# Cannot take the second step, hangs up in the queue, and gives up.
DAN = [
    touch("dan", "2026-03-01 08:00", "subscription.trial_start"),
    touch("dan", "2026-03-01 09:00", "subscription.onboarding_step", **step("profile")),
    touch("dan", "2026-03-03 08:00", "subscription.onboarding_step", **step("connect", "failed")),
    touch("dan", "2026-03-05 08:00", "subscription.onboarding_step", **step("connect", "failed")),
    touch("dan", "2026-03-05 10:00", "phone.call_abandon", outcome="abandoned", wait_ms=5 * MINUTE),
]
# Gets going in four days.
EVE = [
    touch("eve", "2026-03-01 08:00", "subscription.trial_start"),
    touch("eve", "2026-03-02 08:00", "subscription.onboarding_step", **step("profile")),
    touch("eve", "2026-03-02 09:00", "self_service.kb_article", outcome="resolved", sentiment=0.4),
    touch("eve", "2026-03-03 08:00", "subscription.onboarding_step", **step("connect")),
    touch("eve", "2026-03-05 08:00", "subscription.activated", outcome="converted"),
]
# Gets going in two days, and leaves three weeks later.
FAY = [
    touch("fay", "2026-03-10 08:00", "subscription.trial_start"),
    touch("fay", "2026-03-10 20:00", "subscription.onboarding_step", **step("profile")),
    touch("fay", "2026-03-11 08:00", "subscription.onboarding_step", **step("connect")),
    touch("fay", "2026-03-12 08:00", "subscription.activated", outcome="converted"),
    touch("fay", "2026-04-01 10:00", "web.cancel_page"),
    touch("fay", "2026-04-02 10:00", "subscription.cancel_request"),
    touch("fay", "2026-04-02 10:05", "subscription.cancelled", sentiment=-0.9),
]
# Leaves a chat, is helped by telephone the next day and asks again; leaves a checkout for good.
GUS = [
    touch("gus", "2026-03-04 14:00", "live_chat.chat_start"),
    touch("gus", "2026-03-04 14:08", "live_chat.chat_abandon", outcome="abandoned", wait_ms=8 * MINUTE, sentiment=-0.5),
    touch("gus", "2026-03-05 09:00", "self_service.ivr"),
    touch("gus", "2026-03-05 09:02", "phone.inbound_call", outcome="resolved", sentiment=0.4, wait_ms=2 * MINUTE),
    touch("gus", "2026-03-09 09:00", "phone.inquiry", outcome="resolved", wait_ms=MINUTE),
    touch("gus", "2026-03-20 18:00", "mobile_app.cart_add", **cart("200.00", "EUR")),
    touch("gus", "2026-03-20 18:10", "web.checkout_start"),
]
# Two journeys three weeks apart, and something that only this company knows.
HAL = [
    touch("hal", "2026-03-02 08:00", "advertising.ad_click"),
    touch("hal", "2026-03-02 08:01", "web.x_quiz", stage="consideration"),
    touch("hal", "2026-03-23 08:00", "community.question", reference="Q-1"),
    touch("hal", "2026-03-24 08:00", "community.solution_accepted", outcome="resolved", sentiment=0.8, reference="Q-1"),
]
COMPANY: list[Sample] = [*ANN, *BOB, *CID, *DAN, *EVE, *FAY, *GUS, *HAL]

# A file imported by mistake and withdrawn: it must not show anywhere.
MISTAKE: list[Sample] = [
    touch("ann", "2026-03-02 09:12", "web.cart_abandon", outcome="abandoned", import_id="mistake"),
    touch("ann", "2026-03-07 10:00", "phone.complaint", outcome="escalated", sentiment=-1.0, import_id="mistake"),
    touch("eve", "2026-03-04 08:00", "subscription.cancelled", import_id="mistake"),
    touch("hal", "2026-03-13 08:00", "email.open", import_id="mistake"),  # makes one journey of two
    touch("ida", "2026-03-01 08:00", "subscription.trial_start", import_id="mistake"),
    touch("ida", "2026-03-02 08:00", "web.checkout_start", import_id="mistake", **cart("5.00", "EUR")),
]


@asynccontextmanager
async def company(server: tuple[str, str], arrange: Callable[[Sequence[Sample]], Log]) -> AsyncIterator[World]:
    """The company landed as arranged, with the mistaken file among it and withdrawn afterwards."""
    records = [{**record, **RECEIVED} for record in (*COMPANY, *MISTAKE)]
    async with world(server, f"company_{arrange.__name__}", arrange(records)) as found:
        await found.withdraw("mistake")
        yield found
