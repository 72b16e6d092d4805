"""What a touchpoint says for or against a customer's leaving: at most one signal each, beside those derived of several.

The kinds are the early signs that customer-experience practice names, in three families, and what wins customers back:

- behaviour: CANCEL_REQUEST, CANCEL_PAGE, DOWNGRADE, PAYMENT_FAILED, UNSUBSCRIBED, CART_ABANDONED; less use, overdue
  visits and a stuck onboarding are no single touchpoint and stand in pipeline.rhythm and pipeline.risk;
- feedback: DETRACTOR (Reichheld 2003), HIGH_EFFORT (customer effort: Dixon, Freeman and Toman 2010), COMPLAINT,
  NEGATIVE_MOOD, and of several touchpoints RATING_FELL and MOOD_FELL;
- friction: ESCALATED, UNRESOLVED, REOPENED, FAILED, SETUP_FAILED, NO_ANSWER, ABANDONED, LONG_WAIT, DELIVERY_FAULT, and
  of several REPEATED;
- recovery: RESOLVED, GOOD_RATING, OFFER_REDEEMED, BOUGHT, GOOD_MOOD (a service that delivers value makes a repeat
  purchase likely: 82 %).

One experience is one signal, the gravest it shows, so that an angry, unresolved complaint does not count three times.
"""

from __future__ import annotations

from enum import IntEnum

from pipeline.model import Record


class Kind(IntEnum):
    """Kinds of signals; below GOOD: against us. Those in DERIVED come of several touchpoints.

    Numbers are stored, so they never change their meaning.
    """

    CANCEL_REQUEST = 1
    DOWNGRADE = 2
    ESCALATED = 3
    UNRESOLVED = 4
    DETRACTOR = 5
    COMPLAINT = 6
    REOPENED = 7
    UNSUBSCRIBED = 8
    CANCEL_PAGE = 9
    DELIVERY_FAULT = 10
    PAYMENT_FAILED = 11
    HIGH_EFFORT = 12
    FAILED = 13
    NEGATIVE_MOOD = 14
    ABANDONED = 15
    LONG_WAIT = 16
    REPEATED = 17
    RATING_FELL = 18
    MOOD_FELL = 19
    CART_ABANDONED = 20
    SETUP_FAILED = 21
    NO_ANSWER = 22
    GOOD_RATING = 50
    OFFER_REDEEMED = 51
    RESOLVED = 52
    BOUGHT = 53
    GOOD_MOOD = 54


GOOD = 50
DERIVED = frozenset({Kind.REPEATED, Kind.RATING_FELL, Kind.MOOD_FELL})
RANKED = (
    Kind.CANCEL_REQUEST,
    Kind.CANCEL_PAGE,
    Kind.UNSUBSCRIBED,
    Kind.DETRACTOR,
    Kind.DOWNGRADE,
    Kind.ESCALATED,
    Kind.UNRESOLVED,
    Kind.PAYMENT_FAILED,
    Kind.DELIVERY_FAULT,
    Kind.FAILED,
    Kind.ABANDONED,
    Kind.REOPENED,
    Kind.HIGH_EFFORT,
    Kind.COMPLAINT,
    Kind.SETUP_FAILED,
    Kind.NO_ANSWER,
    Kind.NEGATIVE_MOOD,
    Kind.LONG_WAIT,
    Kind.CART_ABANDONED,
    Kind.OFFER_REDEEMED,
    Kind.GOOD_RATING,
    Kind.RESOLVED,
    Kind.GOOD_MOOD,
    Kind.BOUGHT,
)
"""The kinds that one touchpoint shows, the gravest first, what is bad before what is good."""
_RANK = {kind: place for place, kind in enumerate(RANKED)}
BAD_MOOD = -0.35
GOOD_MOOD = 0.35
LONG_WAIT_MS = 10 * 60_000

_BY_TOUCHPOINT = {
    ("web", "cancel_page"): Kind.CANCEL_PAGE,
    ("web", "purchase"): Kind.BOUGHT,
    ("web", "cart_abandon"): Kind.CART_ABANDONED,
    ("web", "checkout_error"): Kind.FAILED,
    ("mobile_app", "purchase"): Kind.BOUGHT,
    ("mobile_app", "app_crash"): Kind.FAILED,
    ("mobile_app", "uninstall"): Kind.UNSUBSCRIBED,
    ("email", "unsubscribe"): Kind.UNSUBSCRIBED,
    ("email", "spam_report"): Kind.UNSUBSCRIBED,
    ("email", "complaint"): Kind.COMPLAINT,
    ("phone", "complaint"): Kind.COMPLAINT,
    ("phone", "call_abandon"): Kind.ABANDONED,
    ("live_chat", "chat_abandon"): Kind.ABANDONED,
    ("self_service", "ivr_abandon"): Kind.ABANDONED,
    ("social", "complaint"): Kind.COMPLAINT,
    ("in_store", "purchase"): Kind.BOUGHT,
    ("helpdesk", "ticket_escalated"): Kind.ESCALATED,
    ("helpdesk", "supervisor_involved"): Kind.ESCALATED,
    ("helpdesk", "ticket_reopened"): Kind.REOPENED,
    ("helpdesk", "ticket_resolved"): Kind.RESOLVED,
    ("subscription", "cancel_request"): Kind.CANCEL_REQUEST,
    ("subscription", "downgrade"): Kind.DOWNGRADE,
    ("subscription", "payment_failed"): Kind.PAYMENT_FAILED,
    ("subscription", "renewal"): Kind.BOUGHT,
    ("subscription", "upgrade"): Kind.BOUGHT,
    ("delivery", "delayed"): Kind.DELIVERY_FAULT,
    ("delivery", "damaged"): Kind.DELIVERY_FAULT,
    ("delivery", "lost"): Kind.DELIVERY_FAULT,
    ("sales", "deal_won"): Kind.BOUGHT,
    ("loyalty", "offer_redeemed"): Kind.OFFER_REDEEMED,
    ("loyalty", "referral"): Kind.GOOD_RATING,
}
_BY_OUTCOME = {
    "escalated": Kind.ESCALATED,
    "unresolved": Kind.UNRESOLVED,
    "failed": Kind.FAILED,
    "resolved": Kind.RESOLVED,
}
_NOT_DONE = {"failed", "cancelled", "abandoned"}
_CONTACT_CHANNELS = {"phone", "live_chat", "helpdesk", "self_service", "in_store"}
_CHECKOUT = {"cart_add", "checkout_start", "payment", "purchase"}
_RATING_BOUNDS = {"nps": (6.0, 9.0), "csat": (2.0, 4.0), "ces": (3.0, 6.0)}


def of(record: Record) -> Kind | None:
    """The gravest signal of a touchpoint, or None; a bad one goes before a good one.

    Ratings: NPS up to 6 is a detractor and from 9 a promoter; CSAT up to 2 is dissatisfied and from 4 satisfied; CES
    asks how easy it was, so up to 3 is high effort and from 6 low.
    """
    best = _BY_TOUCHPOINT.get((record["channel"], record["touchpoint"]))
    outcome, sentiment, metric = record["outcome"], record["sentiment"], record["rating_metric"]
    if best is Kind.BOUGHT and outcome in _NOT_DONE:
        best = None
    if outcome is None and sentiment is None and metric is None and record["wait_ms"] is None:
        return best
    found = {best} if best else set()
    if outcome is not None:
        found |= _of_outcome(record, outcome)
    if sentiment is not None and not BAD_MOOD < sentiment < GOOD_MOOD:
        found.add(Kind.NEGATIVE_MOOD if sentiment < 0 else Kind.GOOD_MOOD)
    if metric is not None:
        found |= _of_rating(metric, record["rating_score"])
    if (record["wait_ms"] or 0) >= LONG_WAIT_MS:
        found.add(Kind.LONG_WAIT)
    return min(found, key=_RANK.__getitem__, default=None)


def bought(record: Record) -> bool:
    """Whether a touchpoint is a purchase or renewal that was not broken off, whatever else it shows."""
    return _BY_TOUCHPOINT.get((record["channel"], record["touchpoint"])) is Kind.BOUGHT and done(record)


def done(record: Record) -> bool:
    """Whether what the touchpoint names came about."""
    return record["outcome"] not in _NOT_DONE


def _of_outcome(record: Record, outcome: str) -> set[Kind]:
    if record["touchpoint"] == "onboarding_step" and outcome in {"failed", "abandoned"}:
        return {Kind.SETUP_FAILED}  # less than a failure: what gets stuck then counts beside it
    if outcome == "abandoned":
        if record["channel"] in _CONTACT_CHANNELS:
            return {Kind.ABANDONED}
        return {Kind.CART_ABANDONED} if record["touchpoint"] in _CHECKOUT else set()
    if outcome == "failed" and (record["channel"], record["direction"]) == ("email", "outbound"):
        return set()  # a mail that did not arrive is no experience of the customer's
    if outcome == "unresolved" and record["channel"] == "self_service":
        return {Kind.NO_ANSWER}  # nobody let them down yet: whoever then asks a person is told of by that contact
    kind = _BY_OUTCOME.get(outcome)
    return {kind} if kind else set()


def _of_rating(metric: str, score: float | None) -> set[Kind]:
    bounds = _RATING_BOUNDS.get(metric)
    if bounds is None or score is None:
        return set()
    if score <= bounds[0]:
        return {Kind.HIGH_EFFORT if metric == "ces" else Kind.DETRACTOR}
    return {Kind.GOOD_RATING} if score >= bounds[1] else set()
