"""A mapping made ready to use: every expression compiled, every word checked against the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.catalogue import CUSTOM_PREFIX, OUTCOMES, RATING_RANGES, Catalogue, catalogue
from pipeline.channels.errors import MappingError
from pipeline.channels.expressions import Expression
from pipeline.channels.fields import CONVERSIONS, WORDS, Convert, attribute
from pipeline.channels.functions import Functions
from pipeline.channels.mapping import Challenge, Choice, Mapping, Touchpoint

OTHER_KINDS = "*"
"""In a rule's `events`: every kind that is neither ignored nor named by another rule."""
_CHOICE_KEYS = ("from", "else")


@dataclass(frozen=True, slots=True)
class Word:
    """A word that stands in the mapping, or is looked up by what an expression gives, or (without a list) is that."""

    words: dict[str, str]
    otherwise: str | None
    expression: Expression | None = None

    @property
    def all(self) -> set[str]:
        """Every word it may give."""
        return {*self.words.values(), *([self.otherwise] if self.otherwise else [])}

    def of(self, context: Any) -> Any:
        """The word for this context; None when nothing fits. May raise one of FAILURES."""
        if self.expression is None:
            return self.otherwise
        found = self.expression.get(context)
        if not self.words:
            return found or self.otherwise
        return self.words.get(_key(found), self.otherwise)


@dataclass(frozen=True, slots=True)
class Part:
    """One field: which expression gives it, and what is made of the result."""

    field: str
    expression: Expression
    convert: Convert


@dataclass(frozen=True, slots=True)
class Rule:
    """One touchpoint of a mapping."""

    name: str
    events: frozenset[str]
    when: Expression | None
    words: tuple[tuple[str, Word], ...]
    parts: tuple[Part, ...]
    attributes: tuple[Part, ...]
    attributes_from: Expression | None
    id: Expression | None

    def part(self, field: str) -> Part | None:
        """The part that gives a field."""
        return next((part for part in self.parts if part.field == field), None)

    def expression(self, field: str) -> Expression | None:
        """What gives a field, be it a value or a word; None for a word that stands in the mapping."""
        found = self.part(field) or dict(self.words).get(field)
        return found.expression if found is not None else None

    def touchpoints(self) -> Iterator[tuple[str, str]]:
        """Every channel and touchpoint it may give: one that an expression names stands as `x_...`.

        A rule whose payload names the channel may give any: it yields none.
        """
        words = dict(self.words)
        for channel in sorted(words["channel"].all):
            for touchpoint in sorted(words["touchpoint"].all):
                yield channel, touchpoint
            if not words["touchpoint"].all:
                yield channel, CUSTOM_PREFIX + "..."


@dataclass(frozen=True, slots=True)
class Question:
    """A vendor's question whether this endpoint is ours: `when` it is one, and what is answered."""

    when: Expression
    token: Expression | None
    answer: Expression | dict[str, Expression]


@dataclass(frozen=True, slots=True)
class Source:
    """A source ready to use; `headers` are those that its expressions read."""

    name: str
    mapping: Mapping
    items: Expression | None
    event: Expression | None
    id: Expression | None
    challenge: Question | None
    rules: tuple[Rule, ...]
    by_kind: dict[str, tuple[Rule, ...]]
    headers: tuple[str, ...]

    @property
    def events(self) -> frozenset[str]:
        """Every kind of event that becomes a touchpoint."""
        return frozenset[str]().union(*(rule.events for rule in self.rules))


def compile_mapping(name: str, mapping: Mapping, functions: Functions) -> Source:
    """Make a mapping ready. Raises MappingError that names the place and the fix."""
    at = _At(name, functions)
    request = mapping.request
    rules = tuple(
        _rule(at.below(f"touchpoints.{index}"), each, mapping) for index, each in enumerate(mapping.touchpoints)
    )
    names = [rule.name for rule in rules]
    if doubled := {each for each in names if names.count(each) > 1}:
        raise MappingError(
            f"{name}: touchpoints: give each a `name` of its own, {', '.join(sorted(doubled))} comes twice"
        )
    return Source(
        name=name,
        mapping=mapping,
        items=at.maybe("request.items", request.items),
        event=at.maybe("request.event", request.event),
        id=at.maybe("request.id", request.id),
        challenge=_question(at.below("challenge"), mapping.challenge) if mapping.challenge is not None else None,
        rules=rules,
        by_kind={kind: tuple(rule for rule in rules if kind in rule.events) for rule in rules for kind in rule.events},
        headers=_headers(mapping),
    )


class _At:
    """Where in which file we are, for what has to be said about it."""

    def __init__(self, where: str, functions: Functions) -> None:
        self._where = where
        self._functions = functions

    def below(self, place: str) -> _At:
        return _At(f"{self._where}: {place}", self._functions)

    def expression(self, place: str, text: str) -> Expression:
        try:
            return Expression(text, self._functions)
        except MappingError as error:
            raise self.wrong(place, str(error)) from error

    def maybe(self, place: str, text: str | None) -> Expression | None:
        return None if text is None else self.expression(place, text)

    def wrong(self, place: str, why: str) -> MappingError:
        return MappingError(f"{self._where}: {place}: {why}")


def _question(at: _At, given: Challenge) -> Question:
    answer: Expression | dict[str, Expression]
    if isinstance(given.answer, str):
        answer = at.expression("answer", given.answer)
    else:
        answer = {name: at.expression(f"answer.{name}", text) for name, text in given.answer.items()}
    return Question(at.expression("when", given.when), at.maybe("token", given.token), answer)


def _rule(at: _At, given: Touchpoint, mapping: Mapping) -> Rule:
    if mapping.request.event is not None and not given.events:
        raise at.wrong("events", "name the kinds of events that become this touchpoint")
    words = {field: _word(at, field, value) for field in WORDS if (value := getattr(given, field)) is not None}
    _check_words(at, words)
    shared = mapping.defaults.model_dump(exclude_none=True, exclude={"attributes"})
    own = given.model_dump(exclude_none=True, include=set(CONVERSIONS))
    fields = {**shared, **own}
    if "occurred_at" not in fields:
        raise at.wrong("occurred_at", "say where the time of the event comes from")
    if "customer_id" not in fields and "anonymous_id" not in fields:
        raise at.wrong("customer_id", "say where the customer_id or the anonymous_id comes from")
    parts = [Part(field, at.expression(field, text), CONVERSIONS[field]) for field, text in fields.items()]
    attributes = {**mapping.defaults.attributes, **given.attributes}
    return Rule(
        name=given.name or ".".join(next(_named(words), ("any", "custom"))),
        events=frozenset(given.events),
        when=at.maybe("when", given.when),
        words=tuple(words.items()),
        parts=tuple(parts),
        attributes=tuple(
            Part(name, at.expression(f"attributes.{name}", it), attribute) for name, it in attributes.items()
        ),
        attributes_from=at.maybe("attributes_from", given.attributes_from),
        id=at.maybe("id", given.id),
    )


def _named(words: dict[str, Word]) -> Iterator[tuple[str, str]]:
    for channel in sorted(words["channel"].all):
        for touchpoint in sorted(words["touchpoint"].all) or ["custom"]:
            yield channel, touchpoint


def _word(at: _At, field: str, given: str | Choice) -> Word:
    if isinstance(given, str):
        return Word({}, given)
    if "from" not in given:
        raise at.wrong(field, 'a choice needs `from`, an expression: { from = "item.status", solved = "resolved" }')
    words = {value: word for value, word in given.items() if value not in _CHOICE_KEYS}
    return Word(words, given.get("else"), at.expression(field, given["from"]))


def _check_words(at: _At, words: dict[str, Word]) -> None:
    known = catalogue()
    checks: dict[str, Callable[[str], bool]] = {
        "channel": known.channels.__contains__,
        "stage": known.stages.__contains__,
        "direction": ("inbound", "outbound").__contains__,
        "outcome": OUTCOMES.__contains__,
        "rating_metric": RATING_RANGES.__contains__,
    }
    for field, is_known in checks.items():
        for word in words[field].all if field in words else ():
            if not is_known(word):
                raise at.wrong(field, f"{word!r} is not in the catalogue: see `touchline taxonomy`")
    _check_touchpoints(at, words, known)


def _check_touchpoints(at: _At, words: dict[str, Word], known: Catalogue) -> None:
    for channel in words["channel"].all:
        for touchpoint in words["touchpoint"].all:
            if known.channels[channel].defaults(touchpoint) is None:
                near = ", ".join(known.nearest_touchpoints(channel, touchpoint)) or f"{CUSTOM_PREFIX}{touchpoint}"
                raise at.wrong("touchpoint", f"{channel} has no touchpoint {touchpoint!r}: try {near}")


def _key(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def _headers(mapping: Mapping) -> tuple[str, ...]:
    """The headers that a dead letter must keep so that it can be mapped again."""
    text = mapping.model_dump_json(exclude={"signature", "challenge", "setup", "about", "documentation"})
    named = {piece.partition('\\"')[0] for piece in text.split('headers.\\"')[1:]}
    always = {"content-type"} if mapping.request.format == "cloudevents" else set()
    return tuple(sorted(named | always))
