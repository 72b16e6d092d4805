"""A chart of a report: a figure of Plotly as plain JSON, once per theme.

Only dictionaries that plotly.js documents are built here: nothing is imported for it, and the tests hold every figure
to Plotly's own schema.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.palette import Palette

Figure = dict[str, Any]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True)
class Chart:
    """A chart: what it shows, in words that stand for it where it cannot be seen, and how it is drawn in a theme."""

    id: str
    title: str
    height: int
    draw: Callable[[Palette], Figure]


def plain(text: str) -> str:
    """A text from outside for a label: Plotly reads tags in labels, and these must not be any."""
    return html.escape(text, quote=False)


def figure(palette: Palette, data: Sequence[Mapping[str, Any]], **layout: Any) -> Figure:
    """A figure in the colours of a theme, that neither zooms nor drags, so that a finger on it scrolls the page."""
    axis = {
        "fixedrange": True,
        "gridcolor": palette.line,
        "linecolor": palette.line,
        "zerolinecolor": palette.muted,
        "automargin": True,
        "ticks": "",
    }
    base: Figure = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": palette.text},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "dragmode": False,
        "hoverlabel": {"bgcolor": palette.card, "bordercolor": palette.line, "font": {"color": palette.text}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemclick": False},
        "showlegend": False,
    }
    axes = {"xaxis": axis, "yaxis": axis}
    return {"data": [dict(each) for each in data], "layout": _merged({**base, **axes}, layout)}


def _merged(base: Figure, more: Mapping[str, Any]) -> Figure:
    """The base with `more` laid over it, dictionaries merged key by key; an axis the base lacks is styled as x is."""
    result = dict(base)
    for name, value in more.items():
        below = result.get(name, base.get("xaxis") if "axis" in name else None)
        result[name] = {**below, **value} if isinstance(below, dict) and isinstance(value, dict) else value
    return result
