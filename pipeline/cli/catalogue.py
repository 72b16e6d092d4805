"""Commands that print what the product knows: taxonomy and config."""

from __future__ import annotations

import os
import re
from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.catalogue import catalogue
from pipeline.cli import app
from pipeline.cli.common import Json, print_json
from pipeline.settings import Settings, load

_SECRET = {
    "write_keys",
    "read_key",
    "link_key",
    "clickhouse_password",
    "schema_registry_password",
    "webhook_secrets",
    "identity_key",
}
_USER_INFO = re.compile(r"(?<=://)[^/@]*@")


@app.command()
def taxonomy(as_json: Json = False) -> None:
    """Print stages, channels and touchpoints. Example: touchline taxonomy --json."""
    known = catalogue()
    if as_json:
        print_json(_as_dict())
        return
    console = Console()
    stages = Table("stage", "also called", "the company's question", title="Stages")
    for stage in known.stages.values():
        stages.add_row(stage.name, stage.also, stage.question)
    console.print(stages)
    table = Table("channel", "touchpoint", "stage", "direction", "medium", "relationship", title="Touchpoints")
    for channel, name, defaults in known.rows():
        table.add_row(channel.name, name, defaults.stage, defaults.direction, channel.medium, channel.relationship)
    console.print(table)


def _as_dict() -> dict[str, Any]:
    known = catalogue()
    return {
        "stages": [{"name": s.name, "also": s.also, "question": s.question} for s in known.stages.values()],
        "channels": [
            {
                "name": c.name,
                "medium": c.medium,
                "ownership": c.ownership,
                "reach": c.reach,
                "relationship": c.relationship,
                "cost_per_touch": c.cost_per_touch,
                "touchpoints": [
                    {"name": name, "stage": d.stage, "direction": d.direction} for name, d in c.touchpoints.items()
                ],
            }
            for c in known.channels.values()
        ],
    }


@app.command()
def config(as_json: Json = False) -> None:
    """List the settings with their values and meaning; secrets are hidden. Example: touchline config."""
    settings = load()
    rows = [
        (f"TOUCHLINE_{name.upper()}", _shown(settings, name), field.description)
        for name, field in Settings.model_fields.items()
    ]
    if as_json:
        print_json([{"variable": variable, "value": value, "meaning": meaning} for variable, value, meaning in rows])
        return
    table = Table("variable", "value", "set", "meaning")
    for variable, value, meaning in rows:
        table.add_row(variable, value, "yes" if variable in os.environ else "", meaning)
    Console().print(table)


def _shown(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    if value is None or value in ("", {}):
        return ""
    return "***" if name in _SECRET else _USER_INFO.sub("***@", str(value))
