"""A rebuild reads of each touchpoint what a fold asks for."""

from __future__ import annotations

import re

from pipeline.catalogue import catalogue
from pipeline.customer import Rules
from pipeline.rebuilding import rebuild
from pipeline.settings import Settings
from sinks import sql
from tests.reference import CUSTOMER, DAY, START, Record, touchpoint

SELECTED = sql.query("rebuild_touchpoints").partition("FROM")[0].partition("SELECT")[2]
COLUMNS = {re.split(r"\W+", column.strip())[-1] for column in re.split(r",\n", SELECTED)}


def everything() -> list[Record]:
    """One touchpoint of every kind, with all that may be said of one."""
    return [
        touchpoint(
            number,
            START + number * DAY // 10,
            f"{channel.name}.{name}",
            outcome="unresolved",
            sentiment=-0.5,
            wait_ms=1_000_000,
            value=5.0,
            currency="EUR",
            reference="r-1",
            rating_metric="nps",
            rating_score=2.0,
            direction=defaults.direction,
            attributes={"segment": "gold"},
        )
        for number, (channel, name, defaults) in enumerate(catalogue().rows(), 1)
    ]


def test_a_rebuild_from_what_it_reads_equals_one_from_everything() -> None:
    rules = Rules.of(Settings())
    read = [{name: value for name, value in record.items() if name in COLUMNS} for record in everything()]
    made, whole = rebuild(CUSTOMER, read, rules), rebuild(CUSTOMER, everything(), rules)
    assert made.state is not None and made.state == whole.state
    assert made.state.profile.segment is not None and made.state.profile.contacts
