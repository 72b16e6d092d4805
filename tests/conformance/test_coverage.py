"""Every channel and every stage can be reached by some source, and the README says by which."""

from __future__ import annotations

from pipeline.catalogue import catalogue
from tests.channels.known import all_examples, sources
from tests.channels.table import table, written


def test_every_channel_is_reached() -> None:
    reached = {channel for source in sources().values() for rule in source.rules for channel, _ in rule.touchpoints()}
    assert reached | {"link"} == set(catalogue().channels), "`link` is the collector's own /l/{code}"


def test_every_stage_is_reached() -> None:
    known = catalogue()
    reached = set()
    for name, example in all_examples():
        for event in example.gives:
            defaults = known.channels[event["channel"]].defaults(event["touchpoint"])
            assert defaults is not None, name
            reached.add(event.get("stage", defaults.stage))
    assert reached == set(known.stages)


def test_the_readme_shows_what_the_mappings_give() -> None:
    assert written() == table(), "run `python -m tests.channels.table`"
