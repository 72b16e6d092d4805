"""The records of topic `alerts`: what the decision says, and what people order."""

from __future__ import annotations

from pipeline.alerts.decision import Said
from pipeline.model import Record, derived_id

ORDERS = frozenset({"acknowledged", "snoozed"})
"""The statuses by which people tell the alerts agent something."""


def said_record(customer_id: str, said: Said) -> Record:
    """An alert, or that it is over; the same decision gives the same record again."""
    change = said.change
    return {
        **_record(said.alert_id, customer_id, said.status, said.at),
        "score": change.score,
        "level": change.level,
        "reasons": [{"code": code, "points": points, "text": text} for code, points, text in change.reasons],
        "action": change.action,
        "model_version": change.model_version,
        "previous_level": change.previous_level,
        "about": said.about,
        "channels": change.channels,
        "segment": change.segment,
        "value": change.value,
    }


def acknowledgement(alert_id: str, customer_id: str, at: int, by: str | None = None) -> Record:
    """Somebody has taken the alert on: it is not delivered to anybody any more. `at` is UTC milliseconds."""
    record = _record(derived_id("acknowledged", alert_id), customer_id, "acknowledged", at)
    return {**record, "about": alert_id, "by": by}


def snooze(customer_id: str, until: int, at: int, by: str | None = None) -> Record:
    """Raise nothing for the customer before `until`, UTC milliseconds."""
    return {**_record(derived_id("snoozed", customer_id, at), customer_id, "snoozed", at), "until": until, "by": by}


def again(alert: Record, destination: str, at: int) -> Record:
    """Deliver an alert, given up at this attempt, once more to one destination; attempts are numbered on."""
    number = alert["attempt"] + 1
    return {
        **alert,
        "destination": destination,
        "attempt": number,
        "status": "again",
        "error": None,
        "attempted_at": at,
    }


def sample(alert_id: str, at: int) -> Record:
    """A made-up alert, to try a destination with; it says so."""
    made_up = {"code": "test", "points": 0.0, "text": "this is only a test: there is no such customer"}
    record = _record(alert_id, "test", "raised", at)
    return {**record, "score": 60.0, "level": "high", "reasons": [made_up], "action": "none", "model_version": "test"}


def attempt_record(  # noqa: PLR0913 (the fields of an attempt)
    alert: Record, destination: str, attempt: int, *, status: str, error: str | None, at: int
) -> Record:
    """What became of an attempt to deliver an alert; `error` must name no address."""
    return {
        **alert,
        "destination": destination,
        "attempt": attempt,
        "status": status,
        "error": error,
        "attempted_at": at,
    }


def _record(alert_id: str, customer_id: str, status: str, at: int) -> Record:
    return {
        "alert_id": alert_id,
        "customer_id": customer_id,
        "raised_at": at,
        "score": 0.0,
        "level": "",
        "reasons": [],
        "action": "",
        "model_version": "",
        "destination": "",
        "attempt": 0,
        "status": status,
        "error": None,
        "attempted_at": at,
        "previous_level": None,
        "about": None,
        "until": None,
        "by": None,
        "channels": [],
        "segment": None,
        "value": None,
    }
