"""`python -m pipeline.collector`: one collector, set up by the environment; prints where it listens as JSON."""

from __future__ import annotations

import json
import sys

import uvloop

from pipeline import logs
from pipeline.collector.serve import Listening, serve
from pipeline.errors import TouchlineError
from pipeline.settings import load


def main() -> int:
    """Run until SIGTERM or Ctrl-C; the exit status is 0, 1 (cannot go on) or 2 (a setting is wrong)."""
    try:
        logs.configure(load().log_level, load().log_format, "collector")
        uvloop.run(serve(load(), on_ready=_say))
    except TouchlineError as error:
        print(f"touchline collector: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _say(listening: Listening) -> None:
    print(json.dumps(listening._asdict()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
