"""The page of all metrics, made from the registries: `python -m tests.deploy.metrics_page` writes it anew."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.deploy.registries import exposed, labels_of, registries

PAGE = Path(__file__).parents[2] / "deploy" / "METRICS.md"
HEAD = """# Metrics

Made from what the roles register by `python -m tests.deploy.metrics_page`. A histogram has `_bucket`, `_sum`, `_count`.
Labels are bounded: channels are those of the catalogue or `unknown`, codes those of our own checks, destinations and
keys those of your files.

"""


async def page() -> str:
    """The page as it should stand."""
    rows: dict[str, tuple[str, tuple[str, ...], str]] = {}
    roles: dict[str, list[str]] = {}
    for role, registry in (await registries()).items():
        for metric in registry.collect():
            name = metric.name if metric.type == "histogram" else exposed(metric.name, metric.type)[0]
            rows[name] = metric.type, labels_of(metric), metric.documentation
            roles.setdefault(name, []).append(role)
    lines = ["| metric | kind | labels | roles | what it says |", "|---|---|---|---|---|"]
    for name, (kind, labels, text) in sorted(rows.items()):
        whose = "all" if len(roles[name]) == 5 else ", ".join(roles[name])
        lines.append(f"| `{name}` | {kind} | {', '.join(labels)} | {whose} | {text} |")
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(page()))
