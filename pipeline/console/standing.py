"""How it stands with a customer's alert: the alert columns of view person_standing, from the rows of alerts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pipeline.console.touches import Alert, moment


def alert_columns(records: Sequence[Alert], now: datetime) -> dict[str, Any]:
    """The columns from alert_id to snoozed_until; those of the alert are null while the newest is over."""
    alert = _not_over(records)
    acknowledged = (record for record in records if record.status == "acknowledged")
    taking = next((record for record in acknowledged if alert and record.about == alert.alert_id), None)
    return {
        "alert_id": alert and alert.alert_id,
        "alert_level": alert and alert.level,
        "alert_raised_at": alert and alert.raised_at,
        "alert_status": alert and ("acknowledged" if taking else "open"),
        "acknowledged_at": taking and taking.attempted_at,
        "acknowledged_by": taking and taking.by,
        "snoozed_until": _snoozed(records, now),
    }


def _not_over(records: Sequence[Alert]) -> Alert | None:
    raised = [record for record in records if record.status == "raised"]
    if not raised:
        return None
    newest = max(raised, key=lambda alert: (alert.raised_at, alert.score))
    over = {record.about for record in records if record.status == "over"}
    return None if newest.alert_id in over else newest


def _snoozed(records: Sequence[Alert], now: datetime) -> str | None:
    """Until when nothing is raised, by the latest order; waking is snoozing until a moment that has passed."""
    orders = [record for record in records if record.status == "snoozed" and record.until is not None]
    until = max(orders, key=lambda order: order.attempted_at).until if orders else None
    return until if until and moment(until) > now else None
