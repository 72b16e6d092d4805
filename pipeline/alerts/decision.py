"""Whether a change of risk raises an alert, ends one, or neither. Pure: the same log gives the same alerts again.

What is held back by cooldown, by a snooze or until an absence has lasted is not lost: it is raised at the moment that
ends, if the customer is still at that level then.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import replace

from pipeline.alerts.policy import RANK, Policy
from pipeline.alerts.standing import Change, Standing
from pipeline.model import derived_id


class Said(NamedTuple):
    """An alert (`raised`), or that one is `over`; `at` is the moment it is said for, UTC milliseconds."""

    status: str
    alert_id: str
    about: str | None
    at: int
    change: Change


class Decision(NamedTuple):
    """How the customer stands now, and what is to be said."""

    standing: Standing
    said: tuple[Said, ...] = ()


def on_change(customer_id: str, standing: Standing, change: Change, policy: Policy) -> Decision:
    """Decide about a change of risk. Imported history says nothing."""
    if change.imported:
        return Decision(standing)
    standing, before = on_time(customer_id, standing, change.as_of, policy)
    if policy.ends(change.level):
        standing, said = _end(standing, change)
    elif policy.raises(change.level, change.lasting):
        standing, said = _consider(customer_id, standing, change, policy)
    else:
        standing, said = replace(standing, held=None), ()
    return Decision(standing, before + said)


def on_time(customer_id: str, standing: Standing, now: int, policy: Policy) -> Decision:
    """Raise what was held back, at the moment it might be raised from, if that has come."""
    moment = due(standing, policy)
    if moment is None or moment > now or standing.held is None:
        return Decision(standing)
    return _raise(customer_id, standing, standing.held, moment)


def due(standing: Standing, policy: Policy) -> int | None:
    """From when what is held back may be raised; None when nothing is."""
    return None if standing.held is None else _allowed_from(standing, standing.held, policy)


def on_snooze(standing: Standing, until: int) -> Standing:
    """Raise nothing before `until`; a moment that is over ends the snooze."""
    return replace(standing, snoozed_until=until)


def on_acknowledged(standing: Standing, alert_id: str, at: int) -> Standing:
    """Note that somebody has taken the alert on, if it is the customer's last one."""
    return replace(standing, acknowledged_at=at) if alert_id == standing.alert_id else standing


def _end(standing: Standing, change: Change) -> Decision:
    ended = replace(standing, is_open=False, held=None)
    if not standing.is_open or standing.alert_id is None:
        return Decision(ended)
    told = replace(
        change,
        previous_level=standing.level,
        channels=standing.channels,
        segment=standing.segment,
        value=standing.value,
    )
    over = Said("over", derived_id("over", standing.alert_id), standing.alert_id, change.as_of, told)
    return Decision(ended, (over,))


def _consider(customer_id: str, standing: Standing, change: Change, policy: Policy) -> Decision:
    if standing.is_open and not _escalates(standing, change):
        return Decision(replace(standing, held=None))
    if not standing.is_open and standing.held is None and _falls(change):
        return Decision(standing)
    if _allowed_from(standing, change, policy) > change.as_of:
        return Decision(replace(standing, held=change))
    return _raise(customer_id, standing, change, change.as_of)


def _escalates(standing: Standing, change: Change) -> bool:
    return standing.level is not None and RANK[change.level] > RANK[standing.level]


def _falls(change: Change) -> bool:
    """Whether the risk was higher before: of somebody imported at a worse level, who is better now, nothing is said."""
    return RANK.get(change.previous_level or "", -1) > RANK[change.level]


def _allowed_from(standing: Standing, change: Change, policy: Policy) -> int:
    moment = max(change.as_of + policy.waits(change.level, change.absent), standing.snoozed_until)
    if standing.level is None or _escalates(standing, change):
        return moment
    return max(moment, standing.raised_at + policy.cooldown)


def _raise(customer_id: str, standing: Standing, change: Change, moment: int) -> Decision:
    alert_id = derived_id("alert", customer_id, change.level, moment)
    raised = replace(
        standing,
        alert_id=alert_id,
        level=change.level,
        raised_at=moment,
        is_open=True,
        acknowledged_at=None,
        held=None,
        channels=change.channels,
        segment=change.segment,
        value=change.value,
    )
    return Decision(raised, (Said("raised", alert_id, None, moment, change),))
