"""What the panels of the dashboards ask: PromQL, and SQL with Grafana's macros replaced by what they stand for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.deploy.composed import DEPLOY

FOLDER = DEPLOY / "grafana" / "dashboards"
MACROS = (
    (r"\$__timeFilter\((\w+)\)", r"\1 >= now() - INTERVAL 30 DAY AND \1 <= now()"),
    (r"\$__timeInterval\((\w+)\)", r"toStartOfInterval(\1, INTERVAL 3600 SECOND)"),
)


def boards() -> dict[str, dict[str, Any]]:
    """The dashboards by file."""
    return {path.name: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def targets() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every question of every panel, with the panel's title."""
    for name, board in boards().items():
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                yield f"{name}: {panel['title']}", target


def clickhouse_queries() -> list[tuple[str, str]]:
    """Title and SQL of every panel on ClickHouse."""
    found = []
    for title, target in targets():
        if "rawSql" in target:
            sql = target["rawSql"]
            for macro, meaning in MACROS:
                sql = re.sub(macro, meaning, sql)
            assert "$__" not in sql, f"{title} uses a macro that is not known here"
            found.append((title, sql))
    return found


def promql() -> list[tuple[str, str]]:
    """Title and expression of every panel on Prometheus."""
    return [(title, target["expr"]) for title, target in targets() if "expr" in target]
