"""Whether a mapping does what its examples say: what `touchline channels check` and the conformance suite ask. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.channels.applied import Outcome, apply
from pipeline.channels.compiled import Source
from pipeline.channels.errors import MappingError
from pipeline.channels.fixture import Fixture
from pipeline.channels.touchpoints import accepted
from pipeline.model import Record, Rejected


def problems(source: Source, fixtures: Sequence[Fixture], now: int) -> Iterator[str]:
    """Everything that is wrong, in words; nothing for a mapping that is right. `now` is UTC milliseconds."""
    if not fixtures:
        yield f"{source.name}: it has no example: put one into the folder {source.name} beside the mapping"
        return
    shown = {fixture.event for fixture in fixtures if fixture.gives}
    for event in sorted(source.events - shown - {"*"}):
        yield f"{source.name}: no example shows the event {event}"
    given: set[str] = set()
    for fixture in fixtures:
        outcome = apply(source, fixture.incoming())
        given |= {mapped.rule.name for mapped in outcome.touchpoints}
        for problem in (*_wrong(source, fixture, outcome, now), *_lenient(source, fixture, now)):
            yield f"{source.name}: {fixture.name}: {problem}"
    for name in sorted({rule.name for rule in source.rules} - given):
        yield f"{source.name}: no example gives {name}"


def _wrong(source: Source, fixture: Fixture, outcome: Outcome, now: int) -> Iterator[str]:
    if outcome.problem is not None:
        yield f"the request is refused: {outcome.problem.message}"
        return
    records = [accepted(source, mapped, now) for mapped in outcome.touchpoints]
    for record in records:
        if isinstance(record, Rejected):
            yield "; ".join(f"{error.path}: {error.message}" for error in record.errors)
    good = [_shown(mapped.event) for mapped in outcome.touchpoints]
    if good != fixture.gives:
        yield f"gives {good}, not {fixture.gives}"
    again = [mapped.event["event_id"] for mapped in apply(source, fixture.incoming()).touchpoints]
    ids = [mapped.event["event_id"] for mapped in outcome.touchpoints]
    if again != ids:
        yield "sent again, it has other event_ids"
    if len(set(ids)) != len(ids):
        yield "two of its touchpoints have one event_id: give the rule an `id` that tells them apart"


def _lenient(source: Source, fixture: Fixture, now: int) -> Iterator[str]:
    """What is accepted although something is missing that the example says is required."""
    for path in fixture.requires:
        try:
            outcome = apply(source, fixture.without(path))
        except MappingError as error:
            yield str(error)
            continue
        named = {error.path for refused in refusals(source, outcome, now) for error in refused.errors}
        if outcome.problem is not None:
            named.add(outcome.problem.path)
        if path not in named:
            yield f"without {path} it must be refused by that path, and is by {sorted(named) or 'nothing'}"


def refusals(source: Source, outcome: Outcome, now: int) -> list[Rejected]:
    """The touchpoints of a request that are refused."""
    checked: list[Record | Rejected] = [accepted(source, mapped, now) for mapped in outcome.touchpoints]
    return [each for each in checked if isinstance(each, Rejected)]


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    """An event as examples show it: without its id, and without what is not there."""
    shown = {name: value for name, value in event.items() if name != "event_id" and value is not None}
    if not shown.get("attributes"):
        shown.pop("attributes", None)
    return shown
