"""deploy/compose.yaml as Docker would read it: anchors merged, variables filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
FILE = DEPLOY / "compose.yaml"
ROLES = ("collector", "customers", "landing", "alerts", "delivery")
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def example() -> dict[str, str]:
    """The variables of .env.example, as it leaves them."""
    lines = (DEPLOY / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def filled(given: Mapping[str, str]) -> dict[str, str]:
    """The variables of .env.example, every empty one filled in."""
    return {name: given.get(name) or value or f"test-{name.lower()}" for name, value in example().items()}


def compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """The file with its variables filled in. Raises LookupError for one that must be set and is not."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if variables.get(name):
            return variables[name]
        if kind == "-":
            return str(rest)
        raise LookupError(f"{name}: {rest}")

    text = "\n".join(line for line in FILE.read_text().splitlines() if not line.lstrip().startswith("#"))
    found: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(value, text))
    return found


def environment(service: Mapping[str, Any]) -> dict[str, str]:
    """A service's variables."""
    return {name: str(value) for name, value in service.get("environment", {}).items()}
