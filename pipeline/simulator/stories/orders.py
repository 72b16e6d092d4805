"""Buying at a distance: cart, checkout, payment, delivery, and what may go wrong with each."""

from __future__ import annotations

from pipeline.simulator.clock import DAY, DAYTIME, HOUR, MINUTE, when_open
from pipeline.simulator.diary import Diary
from pipeline.simulator.stories import browsing, support, surveys

_CARRIERS = ("postline", "redbox", "vanroute")


def order(diary: Diary, at: float) -> float:
    """Go from the first page to the parcel, or to a cart that is left standing."""
    diary.logged_in = not diary.chance(0.25)
    at = browsing.look(diary, browsing.arrive(diary, at), 1 + int(diary.rng.expovariate(0.8)))
    return _cart(diary, at, "web")


def app_order(diary: Diary, at: float) -> float:
    """Do the same in the app."""
    diary.write(at, "mobile_app.app_open")
    diary.write(at + 20, "mobile_app.screen_view", attributes={"screen": "product"})
    return _cart(diary, at + diary.pause(60, 400), "mobile_app")


def _cart(diary: Diary, at: float, channel: str) -> float:
    amount = diary.money(diary.person.segment.order_value)
    cart = {"cart_value": f"{amount:.2f}", "category": diary.pick(*browsing.CATEGORIES)}
    for _ in range(1 + diary.chance(0.3)):
        diary.write(at, f"{channel}.cart_add", attributes=cart)
        at += diary.pause(20, 150)
    if diary.chance(0.22):
        return abandon_cart(diary, at)
    diary.logged_in = True
    if channel == "web":
        at = _checkout(diary, at)
    return buy(diary, at, channel, amount)


def abandon_cart(diary: Diary, at: float) -> float:
    """Leave without paying; who reads mail is reminded, and some come back for it."""
    at += diary.pause(MINUTE, 10 * MINUTE)
    diary.write(at, "web.cart_abandon", outcome="abandoned")
    diary.logged_in = True
    if diary.reads_mail and diary.chance(0.4):
        sent = at + diary.pause(3 * HOUR, 20 * HOUR)
        diary.write(sent, "email.reminder", campaign="cart-reminder")
        if diary.chance(0.3):
            back = sent + diary.pause(10 * MINUTE, 8 * HOUR)
            diary.write(back, "email.click", campaign="cart-reminder", outcome="completed")
            return buy(diary, _checkout(diary, back + 30), "web", diary.money(diary.person.segment.order_value))
    return at


def _checkout(diary: Diary, at: float) -> float:
    diary.write(at, "web.checkout_start")
    at += diary.pause(40, 200)
    if diary.chance(0.03):
        diary.write(at, "web.checkout_error", outcome="failed", attributes={"error": diary.pick("card", "address")})
        at += diary.pause(30, 120)
    if diary.chance(0.5):
        diary.write(
            at,
            "web.payment",
            outcome="completed",
            attributes={"method": diary.pick("card", "wallet", "invoice")},
        )
        at += diary.pause(3, 20)
    return at


def buy(diary: Diary, at: float, channel: str, amount: float) -> float:
    """Pay, get the goods, and be helped if something is wrong with them."""
    reference = diary.reference("O")
    money = {"value": amount, "currency": diary.person.currency}
    diary.write(at, f"{channel}.purchase", outcome="converted", reference=reference, **money)
    luck = diary.rng.random()
    fault = "delayed" if luck < 0.085 else "damaged" if luck < 0.105 else "lost" if luck < 0.112 else None
    arrived = deliver(diary, at, reference, fault)
    if fault and diary.chance(0.55):
        support.case(diary, diary.later(arrived, 0.1, 1.5), fault, support.usual(diary))
    elif diary.chance(0.12):
        surveys.ask(diary, arrived + diary.pause(6 * HOUR, 2 * DAY), "csat", -0.3 if fault else 0.35, reference)
    elif diary.chance(0.06):
        send_back(diary, diary.later(arrived, 1, 8), reference, amount)
    return at


def deliver(diary: Diary, at: float, reference: str, fault: str | None) -> float:
    """Report one order as warehouse and carrier do; return when it came or was known not to come."""
    carried = {"reference": reference, "partner": diary.pick(*_CARRIERS)}
    diary.write(at + diary.pause(10, 90), "delivery.order_confirmed", reference=reference, outcome="completed")
    at = when_open(at + diary.pause(6 * HOUR, 30 * HOUR), DAYTIME)
    diary.write(at, "delivery.shipped", **carried)
    at = when_open(at + diary.pause(0.7, 2.2) * DAY, DAYTIME)
    if fault in {"delayed", "lost"}:
        late = {
            "days": str(1 + int(diary.rng.random() * 6)),
            "cause": diary.pick("carrier", "stock", "weather"),
        }
        diary.write(at, "delivery.delayed", outcome="failed", attributes=late, **carried)
        at = when_open(at + diary.pause(1.5, 5) * DAY, DAYTIME)
    if fault == "lost":
        diary.write(at, "delivery.lost", outcome="failed", **carried)
        return at
    if diary.chance(0.4):
        diary.write(at, "delivery.out_for_delivery", **carried)
    at += diary.pause(HOUR, 7 * HOUR)
    diary.write(at, "delivery.delivered", outcome="completed", **carried)
    if fault == "damaged":
        at += diary.pause(HOUR, 20 * HOUR)
        diary.write(at, "delivery.damaged", outcome="failed", **carried)
    return at


def send_back(diary: Diary, at: float, reference: str, amount: float) -> float:
    """Send the goods back and get the money back."""
    diary.write(at, "web.form_submit", reference=reference, attributes={"form": "return"}, stage="service")
    back = at + diary.pause(2, 6) * DAY
    refund = {"value": -amount, "currency": diary.person.currency}
    diary.write(back, "delivery.return_received", outcome="completed", reference=reference, **refund)
    return at
