"""Vendors of the simulated company: some of its contacts come as their webhooks, in their shape and signed their way.

A contact that came twice comes as the same webhook twice, so it counts once.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64encode
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from pipeline.demo.post import Event, Request

Shape = tuple[dict[str, Any], dict[str, str]]
"""A body, and the headers besides the signature."""


class Vendors:
    """A shop system, a parcel service and a survey service; `secrets` is what the collector must know of them.

    There are none for a collector that runs already and does not know them.
    """

    def __init__(self, *, known: bool) -> None:
        self.secrets = {name: secrets.token_urlsafe(24) for name in _SIGNED} if known else {}

    def share(self, events: Iterable[Event], told: Container[str]) -> tuple[list[Request], list[Event]]:
        """What vendors tell, as their webhooks, and the events of all others.

        A contact that was `told` of already, by its event_id, is not told again by another way: it would count twice.
        """
        webhooks: list[Request] = []
        others: list[Event] = []
        for event in events:
            webhook = None if event.get("event_id") in told else self._webhook(event)
            if webhook is None:
                others.append(event)
            else:
                webhooks.append(webhook)
        return webhooks, others

    def _webhook(self, event: Event) -> Request | None:
        """The webhook by which a vendor would tell of this contact; None when none of them knows of it."""
        if not self.secrets or not {"customer_id", "event_id", "occurred_at"} <= event.keys():
            return None
        shaped = _SHAPES.get((event.get("channel"), event.get("touchpoint")))
        if shaped is None:
            return None
        name, shape = shaped
        body, headers = shape(event)
        raw = msgspec.json.encode(body)
        signature, prefix = _SIGNED[name]
        proof = b64encode(hmac.digest(self.secrets[name].encode(), raw, "sha256")).decode()
        headers = {**headers, "Content-Type": "application/json", signature: prefix + proof}
        return Request(f"/v1/webhooks/{name}", raw, headers, 1)


def _order(event: Event, source: str) -> Shape:
    """An order of Shopify's, of its web shop or of a till."""
    order = {
        "id": int(event["event_id"].replace("-", "")[:14], 16),
        "name": event.get("reference"),
        "created_at": event["occurred_at"],
        "source_name": source,
        "total_price": _price(event.get("value")),
        "currency": event.get("currency"),
        "user_id": event.get("staff_id"),
        "note_attributes": [{"name": "customer_id", "value": event["customer_id"]}],
        "discount_codes": [{"code": event["campaign"]}] if "campaign" in event else [],
        "line_items": [],
    }
    return order, {"X-Shopify-Topic": "orders/create", "X-Shopify-Event-Id": event["event_id"]}


def _price(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


_TAGS = {
    "shipped": ("InTransit", "InTransit_002"),
    "out_for_delivery": ("OutForDelivery", "OutForDelivery_001"),
    "delivered": ("Delivered", "Delivered_001"),
    "delayed": ("Exception", "Exception_004"),
    "damaged": ("Exception", "Exception_012"),
    "lost": ("Exception", "Exception_013"),
}


def _tracking(event: Event) -> Shape:
    """A parcel's next step, as AfterShip tells it."""
    tag, subtag = _TAGS[event["touchpoint"]]
    message = {
        "tracking_number": event.get("reference"),
        "order_number": event.get("reference"),
        "slug": event.get("partner"),
        "tag": tag,
        "subtag": subtag,
        "custom_fields": {"customer_id": event["customer_id"]},
    }
    moment = datetime.fromisoformat(event["occurred_at"]).timestamp()
    body = {
        "event": "tracking_update",
        "event_id": event["event_id"],
        "is_tracking_first_tag": True,
        "ts": moment,
        "msg": message,
    }
    return body, {}


def _answer(event: Event) -> Shape:
    """A filled survey, as Typeform tells it."""
    question = event["touchpoint"]
    field = {"type": "opinion_scale", "ref": question}
    hidden = {"customer_id": event["customer_id"], "reference": event.get("reference")}
    response = {
        "token": event["event_id"],
        "submitted_at": event["occurred_at"],
        "hidden": {name: value for name, value in hidden.items() if value is not None},
        "answers": [{"type": "number", "number": event["rating_score"], "field": field}],
    }
    return {"event_type": "form_response", "form_response": response}, {}


_SIGNED = {
    "shopify": ("X-Shopify-Hmac-Sha256", ""),
    "aftership": ("aftership-hmac-sha256", ""),
    "typeform": ("Typeform-Signature", "sha256="),
}
_SHAPES: Mapping[tuple[Any, Any], tuple[str, Callable[[Event], Shape]]] = {
    ("web", "purchase"): ("shopify", lambda event: _order(event, "web")),
    ("in_store", "purchase"): ("shopify", lambda event: _order(event, "pos")),
    **{("delivery", step): ("aftership", _tracking) for step in _TAGS},
    **{("survey", question): ("typeform", _answer) for question in ("nps", "csat", "ces")},
}
