"""What a destination is sent: the same alert in the same form each time, under the same id. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipeline.model import Record, derived_id

_FACTS = ("alert_id", "customer_id", "level", "previous_level", "score", "action", "model_version", "about", "channels")
_MOST_LINES = 50


@dataclass(frozen=True)
class Message:
    """What is sent at once: one alert, or several gathered into a digest.

    `id` is the alert's own, and of a digest follows from its alerts: a receiver that knows it has had the message.
    """

    id: str
    type: str
    alerts: tuple[Record, ...]

    @classmethod
    def of(cls, alerts: Sequence[Record]) -> Message:
        """The message of one alert, or of several; they are told in the order of their moments."""
        if len(alerts) == 1:
            kind = "alert.raised" if alerts[0]["about"] is None else "alert.over"
            return cls(alerts[0]["alert_id"], kind, tuple(alerts))
        ordered = sorted(alerts, key=lambda alert: (alert["raised_at"], alert["alert_id"]))
        return cls(derived_id("digest", *(alert["alert_id"] for alert in ordered)), "alert.digest", tuple(ordered))

    def body(self) -> bytes:
        """As JSON for a webhook: type, timestamp and data, as Standard Webhooks suggest."""
        first = self.alerts[0]
        data = [_data(alert) for alert in self.alerts]
        told = data[0] if len(data) == 1 else {"alerts": data}
        body = {"type": self.type, "timestamp": _moment(first["raised_at"]), "data": told}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()

    def words(self) -> tuple[str, str]:
        """Title and text for people."""
        if len(self.alerts) == 1:
            return _title(self.alerts[0]), _text(self.alerts[0])
        lines = [_title(alert) for alert in self.alerts[:_MOST_LINES]]
        more = len(self.alerts) - len(lines)
        return f"{len(self.alerts)} alerts", "\n".join([*lines, *([f"and {more} more"] if more else [])])


def signature(secret: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """The header webhook-signature of Standard Webhooks: HMAC-SHA256 over id, seconds since 1970 and body."""
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    return "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()


def _data(alert: Record) -> dict[str, Any]:
    return {
        **{name: alert[name] for name in _FACTS},
        "raised_at": _moment(alert["raised_at"]),
        "reasons": alert["reasons"],
        "segment": alert["segment"],
        "value": alert["value"],
    }


def _title(alert: Record) -> str:
    if alert["about"] is not None:
        return f"{alert['customer_id']}: the risk is over ({alert['level']}, score {alert['score']:g})"
    return f"{alert['customer_id']}: {alert['level']} risk of leaving, score {alert['score']:g}"


def _text(alert: Record) -> str:
    lines = [f"- {reason['text']} ({reason['points']:+g})" for reason in alert["reasons"]]
    return "\n".join([*lines, f"Next: {alert['action']}", f"Alert {alert['about'] or alert['alert_id']}"])


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
