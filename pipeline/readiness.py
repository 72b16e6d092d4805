"""How a role tells whoever started it that it is ready: a small JSON file, written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VARIABLE = "TOUCHLINE_READY_FILE"


def announce(facts: Mapping[str, Any]) -> None:
    """Write the facts to the file that the environment names, if it names one."""
    if path := os.environ.get(VARIABLE):
        target = Path(path)
        draft = target.with_suffix(".new")
        draft.write_text(json.dumps({**facts, "pid": os.getpid()}))
        draft.replace(target)


def read(path: Path) -> dict[str, Any] | None:
    """What was announced, or None while nothing was."""
    try:
        facts: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return facts
