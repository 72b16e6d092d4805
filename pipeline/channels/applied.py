"""From one request of a source to its touchpoints, as events in the fields that everybody sends. Pure.

One item that cannot be mapped spoils no other. What a payload lacks is named by its path in the payload. The event_id
follows from the source, the vendor's id of the event, and the rule: so a redelivery has the same ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pipeline.channels.compiled import OTHER_KINDS, Part, Rule, Source
from pipeline.channels.envelope import Incoming, read
from pipeline.channels.expressions import FAILURES, Expression
from pipeline.channels.fields import attribute
from pipeline.line_ids import fingerprint
from pipeline.model import FieldError, derived_id

MOST_TOUCHPOINTS = 1_000
_REQUIRED = ("occurred_at",)
_EITHER = ("customer_id", "anonymous_id")
Event = dict[str, Any]
Context = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mapped:
    """One touchpoint that a payload gives: the event, or why there is none; and the rule by which."""

    event: Event
    rule: Rule
    problems: tuple[FieldError, ...] = ()

    def in_payload(self, error: FieldError) -> FieldError:
        """The same error about a field of a touchpoint, where the payload's sender finds it."""
        expression = self.rule.expression(error.path)
        if expression is None:
            return error
        return FieldError(error.code, expression.path, f"{error.message} ({error.path} is {expression.text})")


@dataclass(slots=True)
class Outcome:
    """What a request gave. `ignored` counts, by reason, the items that are no touchpoints."""

    touchpoints: list[Mapped] = field(default_factory=list)
    ignored: dict[str, int] = field(default_factory=dict)
    problem: FieldError | None = None
    """Why the request as a whole cannot be read."""

    def ignore(self, reason: str) -> None:
        """Count an item that is no touchpoint."""
        self.ignored[reason] = self.ignored.get(reason, 0) + 1


def apply(source: Source, incoming: Incoming) -> Outcome:
    """Map one request; never raises, whatever it holds."""
    outcome = Outcome()
    body, outcome.problem = read(incoming, source.mapping.request.format)
    if outcome.problem is not None:
        return outcome
    context: Context = {"headers": incoming.headers, "query": incoming.query, "body": body, "item": body}
    items, outcome.problem = _items(source, context)
    for item in items:
        context["item"] = item
        _map_item(source, context, outcome)
        if len(outcome.touchpoints) > MOST_TOUCHPOINTS:
            fix = f"more than {MOST_TOUCHPOINTS:,} touchpoints in one request: send fewer at once"
            return Outcome(problem=FieldError("too_large", "", fix))
    return outcome


def _items(source: Source, context: Context) -> tuple[list[Any], FieldError | None]:
    if source.items is None:
        return [context["body"]], None
    found, problem = _evaluate(source.items, context)
    if problem is None and not isinstance(found, list):
        problem = FieldError("missing", source.items.path, f"there must be a list of events: {source.items.text}")
    return ([], problem) if problem is not None else (found, None)


def _map_item(source: Source, context: Context, outcome: Outcome) -> None:
    kind = _evaluate(source.event, context)[0] if source.event is not None else None
    if isinstance(kind, str) and kind in source.mapping.ignored:
        outcome.ignore("unwanted")
        return
    rules = source.rules if source.event is None else _of_kind(source, kind)
    if not rules:
        outcome.ignore("unknown")
        return
    mapped = [touchpoint for rule in rules for touchpoint in _map(source, rule, context)]
    if not mapped:
        outcome.ignore("not_for_us")
    outcome.touchpoints += mapped


def _of_kind(source: Source, kind: Any) -> tuple[Rule, ...]:
    """The rules that name this kind of event; else those of all the other kinds."""
    if not isinstance(kind, str):
        return ()
    return source.by_kind.get(kind) or source.by_kind.get(OTHER_KINDS, ())


def _map(source: Source, rule: Rule, context: Context) -> Iterator[Mapped]:
    """The touchpoint of one rule, if its condition holds."""
    if rule.when is not None:
        holds, problem = _evaluate(rule.when, context)
        if problem is not None:
            yield Mapped({}, rule, (problem,))
            return
        if not holds:
            return
    event: Event = {}
    problems: list[FieldError] = []
    for name, word in rule.words:
        try:
            found = word.of(context)
        except FAILURES as error:
            problems.append(_failed(word.expression, error))
            continue
        if found is not None:
            event[name] = found
    for part in rule.parts:
        _put(event, part, context, problems)
    attributes = _spread(rule, context, problems)
    for part in rule.attributes:
        _put(attributes, part, context, problems)
    event["attributes"] = attributes
    problems += _missing(rule, event)
    event_id, problem = _event_id(source, rule, context)
    event["event_id"] = event_id
    yield Mapped(event, rule, (*problems, *([problem] if problem else ())))


def _spread(rule: Rule, context: Context, problems: list[FieldError]) -> dict[str, Any]:
    """The attributes that an object in the payload holds, by its own names; what is no object is a problem."""
    if rule.attributes_from is None:
        return {}
    found, problem = _evaluate(rule.attributes_from, context)
    if problem is not None or not isinstance(found, dict | None):
        what = f"the attributes are {rule.attributes_from.text}: there must be an object"
        problems.append(problem or FieldError("type", rule.attributes_from.path, what))
        return {}
    made = ((name, attribute(value)) for name, value in (found or {}).items())
    return {name: value for name, value in made if value is not None}


def _put(target: dict[str, Any], part: Part, context: Context, problems: list[FieldError]) -> None:
    try:
        value = part.convert(part.expression.get(context))
    except FAILURES as error:
        problems.append(_failed(part.expression, error, part.field))
        return
    if value is not None:
        target[part.field] = value


def _missing(rule: Rule, event: Event) -> Iterator[FieldError]:
    for name in _REQUIRED:
        if name not in event:
            yield _absent(rule, name)
    if not any(name in event for name in _EITHER):
        yield from (_absent(rule, name) for name in _EITHER if rule.part(name) is not None)


def _absent(rule: Rule, name: str) -> FieldError:
    part = rule.part(name)
    assert part is not None  # noqa: S101 (compiled.py has seen to it)
    return FieldError("missing", part.expression.path, f"{name} is {part.expression.text}, which gives nothing here")


def _event_id(source: Source, rule: Rule, context: Context) -> tuple[str | None, FieldError | None]:
    """An id that the same event has whenever it is delivered."""
    if source.id is None:
        vendors: Any = fingerprint({"item": context["item"]}).hex()
    else:
        vendors, problem = _evaluate(source.id, context)
        if problem is None and (vendors is None or isinstance(vendors, dict | list | bool)):
            problem = FieldError(
                "missing", source.id.path, f"the id of the event is {source.id.text}: nothing is there"
            )
        if problem is not None:
            return None, problem
    if rule.id is None:
        return derived_id("webhook", source.name, vendors, rule.name), None
    own, problem = _evaluate(rule.id, context)
    return derived_id("webhook", source.name, vendors, rule.name, own), problem


def _evaluate(expression: Expression, context: Context) -> tuple[Any, FieldError | None]:
    try:
        return expression.get(context), None
    except FAILURES as error:
        return None, _failed(expression, error)


def _failed(expression: Expression | None, error: Exception, name: str = "") -> FieldError:
    assert expression is not None  # noqa: S101 (a word that stands as it is cannot fail)
    what = f"{name} is {expression.text}: " if name else f"{expression.text}: "
    return FieldError("mapping", expression.path, what + " ".join(str(error).split())[:300])
