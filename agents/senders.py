"""What sends to a destination, by its kind."""

from __future__ import annotations

from agents.courier import Sender
from agents.notifier import Notifier
from agents.webhook import Webhook
from pipeline.alerts.routes import Destination


def sender_of(destination: Destination) -> Sender:
    """The sender of a destination. Raises ConfigurationError where that cannot work."""
    return Webhook(destination) if destination.kind == "webhook" else Notifier(destination)
