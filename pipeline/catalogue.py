"""The vocabulary as data: which channels, touchpoints and stages exist, and what holds for each by default."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

Direction = Literal["inbound", "outbound"]

OUTCOMES = (
    "completed",
    "converted",
    "resolved",
    "unresolved",
    "escalated",
    "abandoned",
    "failed",
    "cancelled",
)
RATING_RANGES = {"nps": (0.0, 10.0), "csat": (1.0, 5.0), "ces": (1.0, 7.0)}
CUSTOM_PREFIX = "x_"


class Defaults(NamedTuple):
    """What a touchpoint is taken to be unless its event says otherwise."""

    stage: str
    direction: Direction


@dataclass(frozen=True)
class Stage:
    """A stage of a journey, with its other names and the company's question."""

    name: str
    also: str
    question: str


@dataclass(frozen=True)
class Channel:
    """A channel: what kind of contact it is, and its touchpoints by name."""

    name: str
    medium: Literal["digital", "human", "physical"]
    ownership: Literal["owned", "partner"]
    reach: Literal["direct", "indirect"]
    relationship: str
    cost_per_touch: float
    touchpoints: dict[str, Defaults]

    def defaults(self, touchpoint: str) -> Defaults | None:
        """Defaults of a touchpoint of this channel; a custom one (`x_...`) is an inbound service contact."""
        known = self.touchpoints.get(touchpoint)
        if known is None and touchpoint.startswith(CUSTOM_PREFIX):
            return _CUSTOM
        return known


_CUSTOM = Defaults("service", "inbound")


@dataclass(frozen=True)
class Catalogue:
    """All stages and channels."""

    stages: dict[str, Stage]
    channels: dict[str, Channel]

    def nearest_channels(self, name: str) -> list[str]:
        """Up to three channels spelled like `name`."""
        return get_close_matches(name, self.channels, n=3, cutoff=0.5)

    def nearest_touchpoints(self, channel: str, name: str) -> list[str]:
        """Up to three touchpoints of the channel spelled like `name`, then the same name in other channels."""
        near = get_close_matches(name, self.channels[channel].touchpoints, n=3, cutoff=0.5)
        elsewhere = [f"{other.name}.{name}" for other in self.channels.values() if name in other.touchpoints]
        return (near + elsewhere)[:3]

    def rows(self) -> Iterator[tuple[Channel, str, Defaults]]:
        """Every touchpoint with its channel and defaults, in the catalogue's order."""
        for channel in self.channels.values():
            for name, defaults in channel.touchpoints.items():
                yield channel, name, defaults


@cache
def catalogue() -> Catalogue:
    """The catalogue shipped with this version."""
    data = tomllib.loads((files("pipeline") / "catalogue.toml").read_text("utf-8"))
    stages = {name: Stage(name, **stage) for name, stage in data["stages"].items()}
    return Catalogue(stages, {name: _channel(name, channel) for name, channel in data["channels"].items()})


def _channel(name: str, data: dict[str, object]) -> Channel:
    outbound = data.pop("outbound", [])
    stages = data.pop("touchpoints")
    assert isinstance(outbound, list) and isinstance(stages, dict)  # noqa: S101 (our own file)
    if unknown := set(outbound) - set(stages):
        raise ValueError(f"catalogue: {name} lists unknown outbound touchpoints {unknown}")
    touchpoints = {
        touchpoint: Defaults(stage, "outbound" if touchpoint in outbound else "inbound")
        for touchpoint, stage in stages.items()
    }
    return Channel(name=name, touchpoints=touchpoints, **{"ownership": "owned", "reach": "direct", **data})  # type: ignore[arg-type]
