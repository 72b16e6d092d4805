"""What people may tell the alerts agent, checked: acknowledging an alert, snoozing a customer. Pure."""

from __future__ import annotations

import re
import uuid
from typing import Any

from pipeline.alerts.policy import DAY
from pipeline.alerts.records import acknowledgement, snooze
from pipeline.model import ContractError, Record

_UNITS = {"m": 60_000, "h": 3_600_000, "d": DAY}
_LENGTH = re.compile(r"([0-9]{1,6})([mhd])")
_LONGEST = 366 * DAY
_LONGEST_TEXT = 200


def length_of(text: object) -> int:
    """Milliseconds of a length like 30m, 12h or 7d; 0d ends a snooze. Raises ContractError."""
    found = _LENGTH.fullmatch(text) if isinstance(text, str) else None
    length = int(found[1]) * _UNITS[found[2]] if found else _LONGEST + 1
    if length > _LONGEST:
        raise ContractError("for", "for must be a length of at most 366 days, like 30m, 12h or 7d")
    return length


def acknowledged(alert_id: str, given: Any, now: int) -> Record:
    """The record that acknowledges an alert; `given` names the customer and, if known, who does it.

    Raises ContractError that names the field.
    """
    try:
        wanted = str(uuid.UUID(alert_id))
    except ValueError as error:
        raise ContractError("alert_id", "the id of an alert is a UUID, as its messages carry it") from error
    fields = _fields(given, {"customer_id", "by"})
    return acknowledgement(wanted, _text(fields, "customer_id") or _missing("customer_id"), now, _text(fields, "by"))


def snoozed(customer_id: str, given: Any, now: int) -> Record:
    """The record that snoozes a customer; `given` says for how long and, if known, who does it.

    Raises ContractError that names the field.
    """
    fields = _fields(given, {"for", "by"})
    customer = _text({"customer_id": customer_id}, "customer_id") or _missing("customer_id")
    return snooze(customer, now + length_of(fields.get("for")), now, _text(fields, "by"))


def _fields(given: Any, known: set[str]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ContractError("", f"send a JSON object with {' and '.join(sorted(known))}")
    for name in given.keys() - known:
        raise ContractError(str(name)[:_LONGEST_TEXT], f"this field is not known here, only {', '.join(sorted(known))}")
    return given


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not _is_utf8(value):
        raise ContractError(name, f"{name} must be text of at most {_LONGEST_TEXT} characters")
    return value


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _missing(name: str) -> str:
    raise ContractError(name, f"{name} is required: it stands beside the alert_id in every message")
