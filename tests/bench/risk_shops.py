"""Who buys no more in the next nine months: the risk beside BG/NBD fitted on the same data, and plain rankings.

`python -m tests.bench.risk_shops FILE DAYS` takes a real history (see `shops.read`) and cuts it after that many days.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from pipeline import fitting
from pipeline.backtest import Example, Leaving, Window, example
from pipeline.customer import Rules
from pipeline.measures import roc_auc
from pipeline.model import Record
from pipeline.risk import score
from pipeline.risk_model import Model, default_model
from pipeline.scoring import profile_of
from pipeline.settings import Settings
from pipeline.state import Step
from tests.bench import bgnbd, shops
from tests.bench.report import tell
from tests.reference import touchpoint

DAY = 86_400_000
BEGIN = 1_600_041_600_000
RULES = Rules.of(Settings())


async def run() -> None:
    """Print the figures of every kind of shop, three seeds each: other draws than the shipped rates were chosen on."""
    for kind in shops.KINDS:
        for seed in (201, 202, 203):
            compare(f"{kind}/{seed}", shops.shop(kind, seed), shops.LOOKED_AT)


def compare(name: str, history: shops.History, looked_at: float) -> None:
    """Rank the customers of a history at a cut-off in every way, and print each way's ROC AUC."""
    cutoff = BEGIN + int(looked_at * DAY)
    examples = list(_examples(history, Window(cutoff, cutoff + int(shops.AHEAD * DAY), Leaving.PURCHASE)))
    left = [each.left for each in examples]
    days = {
        each.customer_id: sorted({int(day) for day in history[each.customer_id] if day <= looked_at})
        for each in examples
    }
    x, t, observed = np.array(
        [
            (
                len(days[c.customer_id]) - 1,
                days[c.customer_id][-1] - days[c.customer_id][0],
                looked_at - days[c.customer_id][0],
            )
            for c in examples
        ],
        dtype=float,
    ).T
    expected = bgnbd.expected(bgnbd.fit(x, t, observed), x, t, observed, shops.AHEAD)
    tell(
        "risk_shops",
        digits=4,
        shop=name,
        customers=len(examples),
        left=sum(left) / len(left),
        shipped=_auc(examples, cutoff, default_model().model, left),
        fitted=_auc(examples, cutoff, fitted(history, cutoff), left),
        bg_nbd=roc_auc(list(-expected), left),
        recency=roc_auc(list(observed - t), left),
        frequency=roc_auc(list(-x), left),
    )


def fitted(history: shops.History, until: int, horizon: int = 90) -> Model:
    """What `touchline risk fit --until` makes of what had happened by then."""
    start = default_model().model
    now = list(_examples(history, Window(until, until)))
    found = fitting.rates([each.profile for each in now], until, start.population)
    earlier = Window(until - horizon * DAY, until, Leaving.PURCHASE)
    known = list(_examples(history, earlier))
    start = replace(start, population=fitting.chosen(known, earlier.cutoff, start.population, found))
    return fitting.weights(known, earlier.cutoff, start)


def _examples(history: shops.History, window: Window) -> list[Example]:
    made = (example(customer, _touches(days), window, RULES, profile_of) for customer, days in history.items())
    return [each for each in made if each is not None]


_PURCHASE = touchpoint(1, 0, "web.purchase", outcome="converted")


def _touches(days: list[float]) -> list[tuple[Step, Record]]:
    moments = [BEGIN + int(day * DAY) for day in days]
    return [
        ((at, n.to_bytes(16, "big"), "web.purchase"), {**_PURCHASE, "occurred_at": at}) for n, at in enumerate(moments)
    ]


def _auc(examples: list[Example], cutoff: int, model: Model, left: list[bool]) -> float | None:
    compiled = model.compile()
    return roc_auc([score(each.profile, cutoff, compiled) for each in examples], left)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        compare(Path(sys.argv[1]).name, shops.read(Path(sys.argv[1])), float(sys.argv[2]))
    else:
        asyncio.run(run())
