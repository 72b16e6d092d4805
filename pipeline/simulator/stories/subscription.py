"""A plan: the trial, the first steps, the monthly invoice, the yearly renewal."""

from __future__ import annotations

from pipeline.simulator.clock import DAY, HOUR, MINUTE
from pipeline.simulator.diary import Diary
from pipeline.simulator.stories import support

STEPS = ("profile", "connect", "import", "invite", "first_use")
MONTH = 30.4 * DAY


def start(diary: Diary, at: float) -> float:
    """Try the product, take the steps to get going, be active within a week or two."""
    at = begin_trial(diary, at)
    for step in STEPS:
        at = diary.later(at, 0, 1.5)
        if diary.chance(0.07):
            first_step(diary, at, step, "failed")
            at = support.help_wanted(diary, at + diary.pause(MINUTE, 20 * MINUTE))
        first_step(diary, at, step, "completed")
    at += diary.pause(MINUTE, HOUR)
    diary.write(at, "subscription.activated", outcome="converted", attributes=_plan(diary))
    return at


def begin_trial(diary: Diary, at: float) -> float:
    """Sign up for the trial."""
    diary.write(at, "subscription.trial_start", attributes=_plan(diary))
    return at


def first_step(diary: Diary, at: float, step: str, outcome: str) -> None:
    """Take one step of the onboarding, or fail to."""
    took = int(diary.pause(30_000, 600_000))
    diary.write(at, "subscription.onboarding_step", outcome=outcome, duration_ms=took, attributes={"step": step})


def bills(diary: Diary, since: float, until: float, renews: bool) -> None:
    """Send an invoice each month, nearly always paid, and have half of those who renew do so in the time."""
    at = since + diary.pause(0, MONTH)
    renewal = at + diary.pause(-6, 6) * MONTH
    while at < until:
        invoice(diary, at)
        if diary.chance(0.04):
            _retried(diary, at + diary.pause(HOUR, 2 * DAY))
        at += MONTH
    if renews and since + 14 * DAY < renewal < until:
        diary.write(renewal - 14 * DAY, "subscription.renewal_due")
        diary.write(renewal, "subscription.renewal", outcome="completed", attributes=_plan(diary))
    if diary.chance(0.06):
        what = diary.pick("subscription.upgrade", "subscription.upgrade", "subscription.plan_change")
        diary.write(diary.later(since, 10, 170), what, outcome="converted")


def invoice(diary: Diary, at: float) -> None:
    """Send the month's invoice."""
    price = diary.person.plan[1] if diary.person.plan else 9.0
    diary.write(
        at,
        "subscription.invoice",
        value=price,
        currency=diary.person.currency,
        reference=diary.reference("I"),
        attributes=_plan(diary),
    )


def fail_payment(diary: Diary, at: float, reference: str, attempt: int) -> None:
    """Report that the bank said no."""
    why = {"reason": diary.pick("insufficient_funds", "card_expired", "declined"), "attempt": str(attempt)}
    diary.write(at, "subscription.payment_failed", outcome="failed", reference=reference, attributes=why)


def _retried(diary: Diary, at: float) -> None:
    fail_payment(diary, at, diary.reference("I"), 1)
    fixed = diary.later(at, 0.3, 3)
    diary.write(fixed, "subscription.account_update", outcome="completed", attributes={"changed": "card"})


def _plan(diary: Diary) -> dict[str, str]:
    return {"plan": diary.person.plan[0] if diary.person.plan else "basic"}
