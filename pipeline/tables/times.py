"""Times as tables write them, to RFC 3339 with an offset. A naive time needs a zone, and must exist in it once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pipeline.errors import UsageError
from pipeline.tables.cells import UnfitError, shown, text
from pipeline.tables.numbers import ToNumber

ToTime = Callable[[Any], str]
RFC_3339, UNIX_SECONDS, UNIX_MS = "rfc3339", "unix_s", "unix_ms"
_UNIX = {UNIX_SECONDS: 1000, UNIX_MS: 1}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SAMPLE = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
_REMEMBERED = 8_192


def check_time(key: str, form: str | None, zone: str | None) -> None:
    """Raise UsageError, with the key, for a format that gives no moment or a zone that does not fit it."""
    if zone is not None:
        _zone(key, zone)
    if form in _UNIX:
        if zone is not None:
            raise UsageError(f"{key}.zone does not go with format = {form!r}, which counts from 1970 in UTC: remove it")
        return
    if form is None or form == RFC_3339:
        return
    if "%" not in form:
        known = f"{RFC_3339}, {UNIX_SECONDS}, {UNIX_MS} or a pattern like %d.%m.%Y %H:%M"
        raise UsageError(f"{key}.format: {form!r} is none of {known}")
    try:
        read = datetime.strptime(_SAMPLE.strftime(form), form)  # noqa: DTZ007 (whether it has a zone is the question)
    except (ValueError, IndexError) as error:
        raise UsageError(f"{key}.format: {form!r} cannot be read by: {error}") from error
    if read.date() != _SAMPLE.date():
        raise UsageError(f"{key}.format: {form!r} lacks the year, the month or the day")
    if read.tzinfo is None and zone is None:
        raise UsageError(
            f"{key}.zone is missing: {form!r} has no offset, so say where its clock hung, like Europe/Berlin"
        )
    if read.tzinfo is not None and zone is not None:
        raise UsageError(f"{key}.zone does not go with %z, which says the offset itself: remove one of them")


def _zone(key: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        known = available_timezones()
        near = get_close_matches(name, sorted(known), n=3, cutoff=0.5)
        hint = f"try {', '.join(near)}" if near else "take a name of the IANA database, like Europe/Berlin"
        if not known:
            hint = "this machine has no time zones: install its tzdata"
        raise UsageError(f"{key}.zone: {name!r} is not a time zone: {hint}") from error


def time_reader(form: str | None, zone_name: str | None, number: ToNumber) -> ToTime:
    """Return what turns a present cell into RFC 3339 in UTC; it raises UnfitError. Both were checked before.

    Text without a format, and without a zone, is left as it is, for validation to judge.
    """
    zone = ZoneInfo(zone_name) if zone_name else None
    unit = _UNIX.get(form or "")
    pattern = form if form not in (None, RFC_3339) and unit is None else None

    @lru_cache(_REMEMBERED)
    def from_text(cell: str) -> str:
        if pattern is None and zone is None:
            return cell
        try:
            moment = datetime.strptime(cell, pattern) if pattern else datetime.fromisoformat(cell)  # noqa: DTZ007
        except ValueError:
            raise UnfitError("time_format", f"{shown(cell)} is no time of the form {form or RFC_3339}") from None
        return _utc(moment, zone)

    def time(cell: Any) -> str:
        if unit is not None:
            return _from_unix(number(cell) * unit)
        if isinstance(cell, str):
            return from_text(cell)
        if isinstance(cell, datetime):
            return _utc(cell, zone)
        if isinstance(cell, date):
            return _utc(datetime(cell.year, cell.month, cell.day), zone)  # noqa: DTZ001 (the zone comes next)
        raise UnfitError("time_format", f"{shown(cell)} is a bare number: say format = unix_s or unix_ms")

    return time


def _from_unix(milliseconds: Decimal) -> str:
    try:
        return _written(_EPOCH + timedelta(milliseconds=int(milliseconds // 1)))
    except (OverflowError, ArithmeticError, ValueError):
        raise UnfitError("time_range", f"{milliseconds:.10g} ms since 1970 is no time of this world") from None


def _utc(moment: datetime, zone: ZoneInfo | None) -> str:
    try:
        return _written((moment if moment.tzinfo else localized(moment, zone)).astimezone(UTC))
    except OverflowError:
        raise UnfitError("time_range", f"{text(moment)} is out of range") from None


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def localized(moment: datetime, zone: ZoneInfo | None) -> datetime:
    """A naive time where the zone's clocks show it; raises UnfitError unless they show it exactly once."""
    if zone is None:
        raise UnfitError("time_naive", f"{text(moment)} has no UTC offset: give the zone of its clock")
    first, second = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == moment.replace(fold=0):
        why = "is shown twice, as clocks were set back"
        raise UnfitError("time_ambiguous", f"{text(moment)} {why} in {zone.key}: give the time with its UTC offset")
    why = "is never shown, as clocks were set forward"
    raise UnfitError("time_nonexistent", f"{text(moment)} {why} in {zone.key}: check the zone, or give an offset")
