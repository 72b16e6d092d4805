"""Asks the role of this container how it is: `python -m pipeline.probe [/readyz]`; exit status 0 when it says 200."""

from __future__ import annotations

import os
import sys
from http.client import HTTPConnection, HTTPException

PORTS = (("TOUCHLINE_WORKER_PORT", "8482"), ("TOUCHLINE_COLLECTOR_PORT", "8480"))
_SECONDS = 4.0


def status(port: int, path: str) -> int:
    """What a listener of this machine answers; 0 when nobody does."""
    connection = HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


def main() -> int:
    """Ask the worker, then the collector: a container runs one of them."""
    path = sys.argv[1] if len(sys.argv) > 1 else "/healthz"
    ports = [int(os.environ.get(name) or usual) for name, usual in PORTS]
    return 0 if any(status(port, path) == 200 for port in ports) else 1


if __name__ == "__main__":
    sys.exit(main())
