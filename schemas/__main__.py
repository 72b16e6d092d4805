"""`python -m schemas`: whether all versions of all contracts can live together; exit 1 and one line each where not."""

import sys

from schemas.compatibility import problems

if __name__ == "__main__":
    found = list(problems())
    for problem in found:
        sys.stdout.write(f"incompatible: {problem}\n")
    sys.exit(1 if found else 0)
