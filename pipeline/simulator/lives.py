"""From a person and a fate to everything that happened: the beginning, the everyday occasions, the turn."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pipeline.simulator.clock import DAY, settle
from pipeline.simulator.diary import Diary, Entry, is_inbound
from pipeline.simulator.fates import Fate
from pipeline.simulator.people import SPAN, Person
from pipeline.simulator.stories import (
    browsing,
    business,
    community,
    leaving,
    marketing,
    orders,
    staying,
    store,
    subscription,
    support,
    surveys,
)

Story = Callable[[Diary, float], float]

OCCASIONS: dict[str, Story] = {
    "browse": browsing.browse,
    "account": browsing.account,
    "app_session": browsing.app_session,
    "order": orders.order,
    "app_order": orders.app_order,
    "store_visit": store.store_visit,
    "store_appointment": store.store_appointment,
    "help": support.help_wanted,
    "question": support.question,
    "community": community.community,
    "social": community.social,
    "webinar": business.webinar,
    "sales_contact": business.sales_contact,
    "deal": business.deal,
}
_TURNS = {**leaving.WAYS, **staying.WAYS}


def live(person: Person, fate: Fate | None, now: float, rng: Random) -> list[Entry]:
    """All that person's touchpoints up to now, in no order."""
    diary = Diary(person, rng, now)
    if fate and fate.leaves:
        diary.ends = fate.ends
    begun = _begin(diary, fate)
    _everyday(diary, fate, begun)
    if fate:
        _TURNS[fate.name](diary, fate)
    if person.plan and (fate is None or fate.name != "stuck"):
        old_and_loyal = begun == person.known_since and diary.ends == now
        subscription.bills(diary, begun, diary.ends, renews=old_and_loyal)
    _company_speaks(diary, begun)
    if not any("customer_id" in event and is_inbound(event) for _, event in diary.entries):
        diary.write(begun, "web.account_page", attributes={"section": "settings"})
    return diary.entries


def _begin(diary: Diary, fate: Fate | None) -> float:
    """Let newer customers come as strangers and start their plan; those of old are simply there."""
    person = diary.person
    if person.known_since <= diary.now - SPAN:
        return person.known_since
    begun = marketing.first_contact(diary, person.known_since)
    if person.plan and (fate is None or fate.name != "stuck"):
        begun = subscription.start(diary, begun)
    return begun


def _everyday(diary: Diary, fate: Fate | None, begun: float) -> None:
    """Live from occasion to occasion, at the person's own rhythm."""
    rng, person = diary.rng, diary.person
    segment = person.segment
    stories = [OCCASIONS[name] for name in segment.occasions]
    weights = list(segment.occasions.values())
    at = begun + rng.random() * person.rhythm
    while at < diary.now:
        story = rng.choices(stories, weights)[0]
        moment = settle(at, segment.hours, rng)
        if fate is None or _takes_place(fate, moment, rng.random()):
            story(diary, max(moment, begun))
            diary.logged_in = True
        at += person.rhythm * rng.gammavariate(segment.regularity, 1 / segment.regularity)


def _takes_place(fate: Fate, moment: float, luck: float) -> bool:
    if fate.leaves and moment > fate.ends:
        return False
    return luck < fate.kept(moment)


def _company_speaks(diary: Diary, begun: float) -> None:
    """Write newsletters, and now and then ask whether one would recommend us."""
    marketing.newsletters(diary, begun)
    if diary.chance(0.15):
        asked = begun + diary.rng.random() * (diary.now - begun)
        surveys.ask(diary, asked, "nps", 0.2)
    if diary.chance(0.1):
        store.offer(diary, begun + diary.pause(5 * DAY, SPAN), taken=diary.chance(0.25))
