"""Looking around: on the web, known or not, and in the app."""

from __future__ import annotations

from pipeline.simulator.clock import MINUTE
from pipeline.simulator.diary import Diary, milliseconds

CATEGORIES = ("shoes", "jackets", "lamps", "kitchen", "garden", "bags", "toys", "coffee")
_FEATURES = ("wishlist", "order_tracking", "recipes", "scan_and_go", "statistics", "sharing")


def browse(diary: Diary, at: float) -> float:
    """Visit the site to no end; one in seven goes unrecognised."""
    diary.logged_in = not diary.chance(0.15)
    at = arrive(diary, at)
    at = look(diary, at, 1 + int(diary.rng.expovariate(0.9)))
    if diary.chance(0.08):
        diary.write(at, "loyalty.recommendation_shown", attributes={"placement": "product"})
        at += diary.pause(5, 60)
        if diary.chance(0.3):
            diary.write(at, "loyalty.recommendation_click", outcome="completed")
    diary.logged_in = True
    return at


def arrive(diary: Diary, at: float) -> float:
    """Open the first page of a visit: mostly straight, else through a link or an advertisement."""
    device = {"device": diary.pick("phone", "phone", "laptop", "tablet")}
    came = diary.rng.random()
    if came < 0.05:
        campaign = diary.pick("search-brand", "search-generic", "retargeting")
        diary.write(at, "advertising.ad_click", campaign=campaign, partner=diary.pick("adnet", "findly"))
        diary.write(at + 2, "web.landing_page", campaign=campaign, attributes=device)
    elif came < 0.08:
        diary.write(at, "link.link_click", campaign="newsletter-footer", attributes=device)
        diary.write(at + 2, "web.page_view", attributes={**device, "path": "/news"})
    else:
        diary.write(at, "web.page_view", attributes={**device, "path": "/"})
    return at + diary.pause(8, 50)


def look(diary: Diary, at: float, pages: int) -> float:
    """Search, product pages, an article: what people do between arriving and deciding."""
    category = diary.pick(*CATEGORIES)
    for _ in range(min(pages, 9)):
        turn = diary.rng.random()
        spent = diary.pause(6, 150)
        what = "web.search" if turn < 0.17 else "web.content_view" if turn < 0.24 else "web.product_view"
        diary.write(at, what, duration_ms=milliseconds(spent), attributes={"category": category})
        at += spent
    return at


def app_session(diary: Diary, at: float) -> float:
    """Open the app for a look or for something in it."""
    release = {"app_version": diary.pick("5.1.0", "5.2.0", "5.2.1")}
    if diary.chance(0.15):
        diary.write(at, "mobile_app.push_open", attributes=release)
        at += 2
    diary.write(at, "mobile_app.app_open", attributes=release)
    for _ in range(int(0.6 + diary.rng.expovariate(1.1))):
        at += diary.pause(5, 90)
        if diary.chance(0.45):
            feature = {"feature": diary.pick(*_FEATURES)}
            diary.write(at, "mobile_app.feature_used", outcome="completed", attributes=feature)
        else:
            diary.write(at, "mobile_app.screen_view", attributes={"screen": diary.pick("home", "profile", "offers")})
    return crash(diary, at) if diary.chance(0.02) else at


def crash(diary: Diary, at: float) -> float:
    """See the app die, and open it again or not."""
    at += diary.pause(3, 40)
    diary.write(at, "mobile_app.app_crash", outcome="failed", attributes={"app_version": "5.2.1"})
    if diary.chance(0.6):
        diary.write(at + diary.pause(5, 60), "mobile_app.app_open", attributes={"app_version": "5.2.1"})
    return at + MINUTE


def account(diary: Diary, at: float) -> float:
    """Look after one's own account."""
    diary.write(at, "web.account_page", attributes={"section": diary.pick("orders", "invoices", "settings")})
    if diary.chance(0.15):
        at += diary.pause(20, 120)
        diary.write(at, "subscription.account_update" if diary.person.plan else "web.form_submit", outcome="completed")
    return look(diary, at + diary.pause(10, 60), int(diary.rng.expovariate(1.0)))
