"""Turns in the lives of people who stay, some of which look like leaving."""

from __future__ import annotations

from pipeline.simulator.clock import DAY, HOUR, MINUTE, OFFICE, when_open
from pipeline.simulator.diary import Diary
from pipeline.simulator.fates import Fate
from pipeline.simulator.stories import marketing, orders, store, subscription, surveys
from pipeline.simulator.stories.leaving import Way, moments
from pipeline.simulator.stories.trouble import bad_experience


def won_back(diary: Diary, fate: Fate) -> None:
    """Be let down once or twice, until somebody takes it in hand; come back to buy."""
    over, diary.last_case = fate.ends, None
    for at in moments(diary, fate, 1 + diary.chance(0.5)):
        over = bad_experience(diary, at)
    called = when_open(max(fate.ends, over + DAY), OFFICE)
    staff, reference = f"supervisor-{int(diary.pause(1, 4))}", diary.last_case or diary.reference("T")
    talk = int(diary.pause(300_000, 1_200_000))
    diary.write(called, "phone.callback", outcome="resolved", duration_ms=talk, staff_id=staff, reference=reference)
    diary.write(called + HOUR, "helpdesk.ticket_resolved", outcome="resolved", staff_id=staff, reference=reference)
    store.offer(diary, called + DAY, taken=diary.chance(0.7))
    surveys.answer(diary, called + diary.pause(HOUR, DAY), "csat", 0.8, reference)
    again = orders.app_order if diary.person.segment.name == "subscriber" else orders.order
    again(diary, diary.later(called, 2, 7))


def takes_it(diary: Diary, fate: Fate) -> None:
    """Have a bad experience, seldom two, that nobody puts right, and carry on all the same."""
    for at in moments(diary, fate, 2 if diary.chance(0.2) else 1):
        bad_experience(diary, at)


def grumbles(diary: Diary, fate: Fate) -> None:
    """Complain now and then, and always come back."""
    for at in moments(diary, fate, 4 + int(diary.rng.random() * 5)):
        moment = diary.later(at, 0, 2)
        if diary.chance(0.5):
            surveys.answer(diary, moment, diary.pick("nps", "csat"), -0.6)
        else:
            diary.write(moment, diary.pick("email.complaint", "social.comment"), sentiment=diary.mood(-0.5))


def pauses(diary: Diary, fate: Fate) -> None:
    """Be on holiday or busy: nothing happens, that is all."""


def thinks_twice(diary: Diary, fate: Fate) -> None:
    """Look at the way out or have trouble paying, and stay."""
    turn = diary.rng.random()
    if turn < 0.5:
        diary.write(fate.begins, "web.cancel_page", duration_ms=int(diary.pause(5_000, 60_000)))
        store.offer(diary, fate.begins + DAY, taken=diary.chance(0.6))
    elif turn < 0.75:
        diary.write(fate.begins, "subscription.downgrade", outcome="completed", attributes={"plan": "basic"})
    else:
        reference = diary.reference("I")
        subscription.fail_payment(diary, fate.begins, reference, 1)
        subscription.fail_payment(diary, fate.begins + 2 * DAY, reference, 2)
        paid = {"changed": "card"}
        diary.write(
            fate.ends,
            "subscription.account_update",
            outcome="completed",
            reference=reference,
            attributes=paid,
        )


def only_unsubscribes(diary: Diary, fate: Fate) -> None:
    """Want no more mail; the shop is fine."""
    diary.reads_mail = True
    marketing.unsubscribe(diary, fate.ends + MINUTE)


WAYS: dict[str, Way] = {
    "won_back": won_back,
    "takes_it": takes_it,
    "grumbles": grumbles,
    "pauses": pauses,
    "thinks_twice": thinks_twice,
    "only_unsubscribes": only_unsubscribes,
}
