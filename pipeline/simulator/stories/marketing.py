"""The company speaks first: the monthly newsletter, and how strangers become customers."""

from __future__ import annotations

from pipeline.simulator.clock import DAY, HOUR, MINUTE
from pipeline.simulator.diary import Diary
from pipeline.simulator.stories import browsing

_THEMES = ("winter", "ideas", "spring", "members", "summer", "season")
CAMPAIGN_GAP = 30.3 * DAY


def newsletters(diary: Diary, since: float) -> None:
    """Send every month's newsletter, to all at one time; some open it, fewer click."""
    number = 0
    while (sent := diary.now - (5.8 - number) * CAMPAIGN_GAP) < diary.now:
        if since < sent < diary.unsubscribed and diary.reads_mail:
            _newsletter(diary, sent + diary.pause(0, HOUR), f"newsletter-{_THEMES[number % len(_THEMES)]}")
        number += 1


def _newsletter(diary: Diary, at: float, campaign: str) -> None:
    diary.write(at, "email.newsletter", campaign=campaign)
    if diary.chance(0.01):
        diary.write(at + 30, "email.bounce", campaign=campaign, outcome="failed")
        return
    if not diary.chance(0.35):
        return
    at += diary.pause(5 * MINUTE, 30 * HOUR)
    diary.write(at, "email.open", campaign=campaign)
    if diary.chance(0.3):
        diary.write(at + 20, "email.click", campaign=campaign, outcome="completed")
        diary.write(at + 24, "web.landing_page", campaign=campaign)
        browsing.look(diary, at + 40, 1 + int(diary.rng.expovariate(0.8)))


def first_contact(diary: Diary, at: float) -> float:
    """Come as a stranger, look around without a name, sign up: the browser turns out to be a customer."""
    diary.logged_in = False
    campaign = diary.pick("launch-video", "search-generic", "friends")
    diary.write(at, diary.pick("advertising.video_view", "advertising.ad_click"), campaign=campaign, partner="adnet")
    diary.write(at + 3, "web.landing_page", campaign=campaign)
    at = browsing.look(diary, at + 30, int(1 + diary.rng.expovariate(1.0)))
    if diary.chance(0.5):
        at = diary.later(at, 0.5, 4)
        at = browsing.look(diary, browsing.arrive(diary, at), int(1 + diary.rng.expovariate(1.0)))
    diary.logged_in = True
    diary.write(at, "web.form_submit", outcome="completed", campaign=campaign, attributes={"form": "sign_up"})
    return at


def unsubscribe(diary: Diary, at: float) -> None:
    """Ask for no more mail."""
    if diary.reads_mail and at <= diary.ends:
        diary.write(at, "email.unsubscribe", outcome="completed")
        diary.unsubscribed = at
