"""Checks the contracts: whether all their versions can live together, and whether the released ones are untouched.

`python -m schemas` prints one line for each problem, and exits 1 where there is one. `python -m schemas release`
locks the new versions, unless there is a problem. Both take `--folder`, another folder than the one shipped.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from schemas.compatibility import problems
from schemas.released import changes, release, unreleased


def main() -> int:
    """Run the command; the exit status is 1 when something is refused."""
    parser = argparse.ArgumentParser(prog="python -m schemas", description=__doc__)
    parser.add_argument("command", nargs="?", choices=["check", "release"], default="check")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    given = parser.parse_args()
    found = [*changes(given.folder), *problems(given.folder)]
    if given.command == "check":
        found += unreleased(given.folder)
    for problem in found:
        sys.stdout.write(f"refused: {problem}\n")
    if given.command == "release" and not found:
        release(given.folder)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
