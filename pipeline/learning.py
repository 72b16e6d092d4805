"""The past of every customer from ClickHouse, as `touchline risk evaluate` and `touchline risk fit` need it."""

from __future__ import annotations

from msgspec.structs import replace

from pipeline import scoring
from pipeline.backtest import Example, Window, example
from pipeline.customer import Rules
from pipeline.errors import ConfigurationError, UsageError
from pipeline.model import ANONYMOUS_PREFIX
from pipeline.rhythm import DAY
from pipeline.risk_model import Model
from pipeline.state import Profile
from sinks import sql
from sinks.clickhouse import Client


async def span(client: Client) -> tuple[int, int]:
    """When the first and the latest touchpoint happened, in UTC milliseconds. Raises UsageError where there is none."""
    [(first, last, count)] = await client.query(sql.query("history_span"), {})
    if not count:
        raise UsageError("there is no history yet: `touchline backfill FILE` takes one in")
    return int(first), int(last)


async def examples(client: Client, window: Window, rules: Rules) -> list[Example]:
    """Every named customer's part in the examination of a window."""
    found = []
    async for customers in scoring.histories(client, window.end):
        made = (
            example(customer, touches, window, rules, scoring.profile_of)
            for customer, touches in customers
            if not customer.startswith(ANONYMOUS_PREFIX)
        )
        found += [each for each in made if each is not None]
    return found


async def fit(client: Client, window: Window, rules: Rules, version: str) -> tuple[Model, list[Example]]:
    """A model learned from what had happened by the window's end, and the examples it was learned from.

    The population's rates come of everybody at the end; weights and calibration of who left between cut-off and end.
    Raises ConfigurationError without numpy.
    """
    try:
        from pipeline import fitting  # noqa: PLC0415 (numpy is an extra)
    except ImportError as error:
        raise ConfigurationError("`touchline risk fit` needs numpy: install touchline with its extra `fit`") from error

    start = rules.model.model
    start = replace(start, population=replace(start.population, horizon_days=(window.end - window.cutoff) / DAY))
    known = await examples(client, window, rules)
    found = fitting.rates(await _profiles(client, window.end, rules), window.end, start.population)
    start = replace(start, population=fitting.chosen(known, window.cutoff, start.population, found))
    return replace(fitting.weights(known, window.cutoff, start), version=version), known


async def _profiles(client: Client, moment: int, rules: Rules) -> list[Profile]:
    found = []
    async for customers in scoring.histories(client, moment):
        found += [
            scoring.profile_of(touches, rules) for name, touches in customers if not name.startswith(ANONYMOUS_PREFIX)
        ]
    return found
