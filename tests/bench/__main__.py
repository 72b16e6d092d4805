"""`make bench`: one JSON object per figure. `python -m tests.bench NAME ...` runs some: see BENCHES."""

from __future__ import annotations

import sys

import uvloop

from tests.bench import customers, edges, history, landing, latency

BENCHES = {
    "history": history.run,
    "customers": customers.run,
    "landing": landing.run,
    "edges": edges.run,
    "latency": latency.run,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHES:
        uvloop.run(BENCHES[name]())
