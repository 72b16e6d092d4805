"""A few weeks of a small company, for the questions about people, answers, deliveries and campaigns.

Weeks begin on Monday 2, 9, 16 and 23 March 2026. `WRONG` is an import that is withdrawn again: it may show nowhere.
"""

from __future__ import annotations

from typing import Any

from tests.integration.questions_world import touch
from tests.integration.sinks_samples import Sample

ADA = [
    touch("anon:d1", "2026-03-02 08:00", "advertising.ad_click", anonymous_id="d1", campaign="spring"),
    touch("ada", "2026-03-02 09:00", "web.landing_page", anonymous_id="d1", campaign="spring"),
    touch("ada", "2026-03-02 09:10", "web.purchase", outcome="converted", value=100.0, currency="EUR", reference="o1"),
    touch("ada", "2026-03-03 10:00", "delivery.delayed", outcome="failed", reference="o1"),
    touch("ada", "2026-03-04 10:00", "delivery.delayed", outcome="failed", reference="o1"),
    touch("ada", "2026-03-05 10:00", "delivery.delivered", outcome="completed", reference="o1"),
    touch("ada", "2026-03-06 12:00", "survey.nps", rating_metric="nps", rating_score=10.0),
    touch("ada", "2026-03-13 12:00", "survey.nps", rating_metric="nps", rating_score=9.0, sentiment=0.5),
    touch("ada", "2026-04-01 08:00", "in_store.purchase", outcome="converted", value=40.1, currency="EUR"),
]
BEN = [
    touch("ben", "2026-03-02 11:00", "email.newsletter", campaign="spring"),
    touch("ben", "2026-03-02 12:00", "email.open", campaign="spring"),
    touch("ben", "2026-03-09 12:00", "web.purchase", outcome="converted", value=20.0, currency="USD", reference="o2"),
    touch("ben", "2026-03-10 09:00", "delivery.damaged", reference="o2"),
    touch(
        "ben",
        "2026-03-10 09:30",
        "phone.complaint",
        outcome="unresolved",
        reference="o2",
        rating_metric="csat",
        rating_score=2.0,
    ),
    touch("ben", "2026-03-11 09:00", "subscription.payment_failed", outcome="failed", value=9.99, currency="EUR"),
    touch("ben", "2026-03-11 10:00", "subscription.billing_inquiry", outcome="resolved", reference="b1"),
    touch("ben", "2026-03-12 10:00", "survey.nps", rating_metric="nps", rating_score=6.0, sentiment=-0.4),
]
CAT = [
    touch("cat", "2026-03-03 09:00", "email.newsletter", campaign="spring"),
    touch("cat", "2026-03-03 09:01", "email.bounce", outcome="failed", campaign="spring"),
    touch("cat", "2026-03-04 10:00", "loyalty.offer_sent", campaign="ten"),
    touch(
        "cat",
        "2026-03-05 10:00",
        "loyalty.offer_redeemed",
        outcome="converted",
        campaign="ten",
        value=15.0,
        currency="EUR",
    ),
    touch("cat", "2026-03-05 11:00", "event.webinar_registered", campaign="talk"),
    touch("cat", "2026-03-06 11:00", "event.webinar_attended", campaign="talk"),
    touch("cat", "2026-03-07 11:00", "sales.deal_won", outcome="converted", value=500.0, currency="EUR"),
    touch("cat", "2026-03-08 11:00", "survey.ces", rating_metric="ces", rating_score=7.0),
    touch("cat", "2026-03-20 11:00", "web.purchase", outcome="converted", value=5.0, currency="EUR"),
]
DAN = [
    touch("dan", "2026-03-12 09:00", "survey.nps", rating_metric="nps", rating_score=8.0),
    touch("dan", "2026-03-16 09:00", "web.page_view"),
    touch("dan", "2026-03-16 09:05", "survey.csat", rating_metric="csat", rating_score=5.0),
    touch("dan", "2026-03-16 10:00", "delivery.shipped", reference="o3"),
    touch("dan", "2026-03-17 10:00", "delivery.delivered", outcome="completed"),
    touch("dan", "2026-03-18 10:00", "delivery.return_received", reference="o3"),
    touch("dan", "2026-03-19 10:00", "subscription.cancelled", outcome="cancelled"),
]


def _wrong(customer_id: str, when: str, what: str, **fields: Any) -> Sample:
    return touch(customer_id, when, what, source="backfill", import_id="wrong", **fields)


WRONG = [
    _wrong("ada", "2026-03-12 10:00", "web.purchase", outcome="converted", value=999.0, currency="EUR"),
    _wrong("ben", "2026-03-06 10:00", "survey.nps", rating_metric="nps", rating_score=0.0, anonymous_id="d1"),
    _wrong("cat", "2026-03-05 09:00", "email.open", campaign="wrong"),
    _wrong("dan", "2026-03-10 10:00", "delivery.lost", reference="o9"),
    _wrong("eve", "2026-03-10 10:00", "subscription.billing_inquiry", campaign="wrong"),
]
COMPANY = [*ADA, *BEN, *CAT, *DAN, *WRONG]
