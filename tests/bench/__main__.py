"""`make bench`: one JSON object per figure. `python -m tests.bench NAME ...` runs some: see BENCHES.

Those of LARGE take minutes at full size; `--scale 0.1` makes a tenth of their events or states, and each figure says
how many there were.
"""

from __future__ import annotations

import argparse

import uvloop

from tests.bench import (
    alerts,
    customers,
    edges,
    history,
    hot,
    landing,
    latency,
    limits,
    mappings,
    questions,
    recovery,
    risk_alerts,
    risk_company,
    risk_shops,
    risk_speed,
    screen_pop,
    workers,
)

BENCHES = {
    "history": history.run,
    "customers": customers.run,
    "landing": landing.run,
    "edges": edges.run,
    "mappings": mappings.run,
    "latency": latency.run,
    "limits": limits.run,
    "risk_speed": risk_speed.run,
    "risk_company": risk_company.run,
    "risk_alerts": risk_alerts.run,
    "risk_shops": risk_shops.run,
    "alerts": alerts.run,
    "screen_pop": screen_pop.run,
}
LARGE = {
    "hot": hot.run,
    "questions": questions.run,
    "recovery": recovery.run,
    "workers": workers.run,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Prints one JSON object per figure.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", choices=[[], *BENCHES, *LARGE], help="which; all by default"
    )
    parser.add_argument("--scale", type=float, default=0.1, help="share of the full size of the large ones")
    given = parser.parse_args()
    if unknown := set(given.names) - {*BENCHES, *LARGE}:
        parser.error(f"no bench is called {', '.join(sorted(unknown))}")
    for name in given.names or [*BENCHES, *LARGE]:
        uvloop.run(BENCHES[name]() if name in BENCHES else LARGE[name](given.scale))
