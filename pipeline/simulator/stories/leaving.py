"""The ways in which customers leave. Each shows some of the signs, none shows all, one shows hardly any."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.simulator.clock import DAY, HOUR, MINUTE, settle
from pipeline.simulator.diary import Diary
from pipeline.simulator.fates import Fate
from pipeline.simulator.stories import browsing, marketing, subscription, support, surveys
from pipeline.simulator.stories.trouble import annoyance, bad_experience, silent_fault

Way = Callable[[Diary, Fate], None]


def moments(diary: Diary, fate: Fate, count: int) -> list[float]:
    """Draw so many moments of the fate's time, in order, at the person's hours, before its end."""
    width = (fate.ends - fate.begins) * 0.85 / count
    rough = [fate.begins + width * (turn + 0.7 * diary.rng.random()) for turn in range(count)]
    return sorted(min(settle(at, diary.person.segment.hours, diary.rng), fate.ends - HOUR) for at in rough)


def let_down(diary: Diary, fate: Fate) -> None:
    """Meet with one to four bad experiences, after which not much is missing."""
    for at in moments(diary, fate, int(diary.rng.choice((1, 2, 2, 3, 3, 4)))):
        bad_experience(diary, at)
    if diary.chance(0.35):
        annoyance(diary, fate.ends - diary.pause(HOUR, 2 * DAY))
    if diary.chance(0.45):
        surveys.answer(diary, fate.ends - diary.pause(HOUR, 3 * DAY), "nps", -0.9)
    if diary.chance(0.35):
        _complain_aloud(diary, fate.ends - diary.pause(MINUTE, DAY))
    if diary.chance(0.25):
        marketing.unsubscribe(diary, fate.ends - diary.pause(MINUTE, DAY))


def cancels(diary: Diary, fate: Fate) -> None:
    """Read up on cancelling, perhaps take the smaller plan first, and ask for the end or be about to."""
    looks = moments(diary, fate, 1 + int(diary.rng.random() * 3))
    for at in looks:
        diary.write(at, "web.account_page", attributes={"section": "plan"})
        diary.write(at + 40, "web.cancel_page", duration_ms=int(diary.pause(8_000, 120_000)))
    if diary.chance(0.35):
        diary.write(looks[0] + DAY, "subscription.downgrade", outcome="completed", attributes={"plan": "basic"})
    if diary.chance(0.25):
        diary.write(looks[-1] + HOUR, "subscription.billing_inquiry", sentiment=diary.mood(-0.4))
    if diary.chance(0.25):
        surveys.answer(diary, looks[-1] + DAY, "nps", -0.6)
    if diary.chance(0.55):
        why = {"reason": diary.pick("price", "unused", "competitor", "service")}
        asked = fate.ends - diary.pause(MINUTE, DAY)
        diary.write(asked, "subscription.cancel_request", attributes=why, sentiment=diary.mood(-0.3))
        if diary.chance(0.3):
            diary.write(fate.ends, "subscription.cancelled", outcome="cancelled", attributes=why)


def cannot_pay(diary: Diary, fate: Fate) -> None:
    """Fail to pay again and again, and not put it right."""
    reference = diary.reference("I")
    attempts = moments(diary, fate, 2 + int(diary.rng.random() * 3))
    for number, at in enumerate(attempts, 1):
        subscription.fail_payment(diary, at, reference, number)
        diary.write(at + HOUR, "email.reminder", campaign="payment", reference=reference)
    if diary.chance(0.55):
        asked = attempts[1] + diary.pause(HOUR, DAY)
        diary.write(asked, "subscription.billing_inquiry", sentiment=diary.mood(-0.5), reference=reference)
        if diary.chance(0.6):
            support.case(diary, asked + diary.pause(HOUR, DAY), "invoice", support.POOR)
    if diary.chance(0.3):
        diary.write(fate.ends - HOUR, "web.cancel_page")
    diary.write(fate.ends, "web.account_page", attributes={"section": "invoices"})


def fades(diary: Diary, fate: Fate) -> None:
    """Come less and less, then no more; some close the door behind them."""
    diary.write(fate.ends, "web.page_view", attributes={"path": "/", "device": "phone"})
    if diary.chance(0.45):
        marketing.unsubscribe(diary, fate.ends - diary.pause(MINUTE, 4 * DAY))
    if diary.chance(0.25):
        surveys.answer(diary, fate.ends - diary.pause(HOUR, 5 * DAY), "nps", -0.6)
    if diary.person.segment.name != "store_regular" and diary.chance(0.35):
        diary.write(fate.ends - diary.pause(0, DAY), "mobile_app.uninstall")


def stuck(diary: Diary, fate: Fate) -> None:
    """Sign up, get through the first steps, fail at the next, find no help, perhaps try once more, and give up."""
    at = subscription.begin_trial(diary, fate.begins)
    done = 1 + int(diary.rng.random() * 3)
    for step in subscription.STEPS[:done]:
        at += diary.pause(MINUTE, 20 * HOUR)
        subscription.first_step(diary, at, step, "completed")
    for _ in range(1 + int(diary.rng.random() * 3)):
        at += diary.pause(MINUTE, 30 * HOUR)
        subscription.first_step(diary, at, subscription.STEPS[done], diary.pick("failed", "failed", "abandoned"))
    at = support.search_help(diary, at + diary.pause(MINUTE, HOUR), solved=False)
    if diary.chance(0.55):
        at = support.case(diary, at + diary.pause(HOUR, DAY), "setup", support.POOR)
    if diary.chance(0.3):
        surveys.answer(diary, at + HOUR, "ces", -0.8)
    if diary.chance(0.7) and (again := fate.ends - diary.pause(HOUR, 2 * DAY)) > at + HOUR:
        subscription.first_step(diary, again, subscription.STEPS[done], diary.pick("failed", "abandoned"))


def app_fails(diary: Diary, fate: Fate) -> None:
    """Have the app crash once too often."""
    for at in moments(diary, fate, 2 + int(diary.rng.random() * 3)):
        diary.write(at, "mobile_app.app_open", attributes={"app_version": "5.2.1"})
        browsing.crash(diary, at + 10)
    if diary.chance(0.5):
        _complain_aloud(diary, fate.ends - diary.pause(HOUR, DAY))
    if diary.chance(0.4):
        support.case(diary, fate.begins + DAY, "app", support.POOR)
    if diary.chance(0.7):
        diary.write(fate.ends - diary.pause(0, HOUR), "mobile_app.uninstall")
    if diary.chance(0.3):
        marketing.unsubscribe(diary, fate.ends - MINUTE)


def account_lost(diary: Diary, fate: Fate) -> None:
    """Look elsewhere, as a company does: escalated tickets, missed meetings, hard talk about the price."""
    seller = {"staff_id": diary.person.account_manager}
    for at in moments(diary, fate, 2):
        support.case(diary, at, diary.pick("defect", "contract"), support.AWFUL)
    if diary.chance(0.6):
        diary.write(
            fate.ends - 4 * DAY,
            "helpdesk.supervisor_involved",
            outcome="escalated",
            sentiment=diary.mood(-0.7),
        )
    if diary.chance(0.5):
        diary.write(fate.ends - 3 * DAY, "event.no_show", outcome="abandoned", campaign="customer-day")
    if diary.chance(0.5):
        surveys.answer(diary, fate.ends - 2 * DAY, "nps", -0.8)
    if diary.chance(0.6):
        tied = {"reference": diary.reference("D"), **seller}
        diary.write(fate.ends - DAY, "sales.negotiation", outcome="unresolved", sentiment=diary.mood(-0.5), **tied)
        diary.write(fate.ends, "sales.deal_lost", outcome="failed", attributes={"reason": "competitor"}, **tied)


def falls_silent(diary: Diary, fate: Fate) -> None:
    """Stay away without a word: mostly after things went wrong that were never complained of."""
    if diary.chance(0.7):
        for at in moments(diary, fate, 2):
            silent_fault(diary, at)
    if diary.chance(0.5):
        diary.write(fate.ends, "web.page_view", attributes={"path": "/", "device": "phone"})


def gone(diary: Diary, fate: Fate) -> None:
    """Leave, months ago: let down, or cancelling in good order."""
    if diary.person.plan:
        asked = fate.ends - 2 * DAY
        diary.write(asked, "subscription.cancel_request", attributes={"reason": "unused"})
        diary.write(fate.ends, "subscription.cancelled", outcome="cancelled")
    else:
        bad_experience(diary, fate.begins)
        diary.write(fate.ends, "web.page_view", attributes={"path": "/"})


def _complain_aloud(diary: Diary, at: float) -> None:
    what = diary.pick("social.review", "social.complaint", "email.complaint")
    diary.write(at, what, outcome="unresolved", sentiment=diary.mood(-0.9))


WAYS: dict[str, Way] = {
    "let_down": let_down,
    "cancels": cancels,
    "cannot_pay": cannot_pay,
    "fades": fades,
    "stuck": stuck,
    "app_fails": app_fails,
    "account_lost": account_lost,
    "falls_silent": falls_silent,
    "gone": gone,
}
