"""The journey map: where customers are, and how they feel there, by stage and channel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pipeline.catalogue import catalogue
from pipeline.report import words
from pipeline.report.asking import Answers
from pipeline.report.chart import Chart, Figure, figure, plain
from pipeline.report.palette import Palette
from pipeline.report.section import Section
from pipeline.report.tables import Column, Row, Table, label

_ROW_PIXELS = 30
_HEAD_PIXELS = 60
_COLUMNS = (
    label("stage", "Stage", words.name),
    label("channel", "Channel", words.name),
    Column("touchpoints", "Touchpoints", words.count, "Both directions"),
    Column("customers", "Customers", words.count, "Customers and unknown visitors seen here"),
    Column("share_of_customers", "Of all", words.share, "Share of all customers and unknown visitors seen here"),
    Column("journeys", "Journeys", words.count, "Journeys that came through here"),
    label("top_touchpoints", "Most frequent", words.names),
    Column("sentiment_avg", "Mood", words.mood, "Mean sentiment, -1 to 1, where one was recorded"),
    Column("converted", "Converted", words.count, "Touchpoints that converted"),
    Column("unresolved", "Went badly", words.count, "Touchpoints unresolved, escalated, abandoned or failed"),
    Column("wait_ms_avg", "Mean wait", words.span),
)


def section(answers: Answers) -> Section:
    """What a journey looks like, from first contact to after-sales."""
    rows = answers.journey_map
    channels = by_weight(rows)
    height = _HEAD_PIXELS + _ROW_PIXELS * len(channels)
    return Section(
        id="journey_map",
        title="Journey map",
        question="What does a journey look like, from first contact to after-sales?",
        finding=_finding(rows),
        view="journey_map",
        table=Table("Journey map by stage and channel", _COLUMNS, rows),
        charts=(
            Chart("journey-reach", "Share of all customers seen, by channel and stage", height, partial(_reach, rows)),
            Chart("journey-mood", "Mean mood, -1 to +1, by channel and stage", height, partial(_mood, rows)),
        ),
    )


def by_weight(rows: Sequence[Row]) -> list[str]:
    """The channels, the busiest first."""
    weights: dict[str, int] = defaultdict(int)
    for row in rows:
        weights[row["channel"]] += row["touchpoints"]
    return sorted(weights, key=lambda channel: (-weights[channel], channel))


def _finding(rows: Sequence[Row]) -> str:
    felt = [row for row in rows if row["sentiment_avg"] is not None]
    busiest = max(rows, key=lambda row: int(row["customers"]))
    seen = f"Most are seen at {_place(busiest)}: {words.share(busiest['share_of_customers'])} of all."
    if not felt:
        return seen
    worst = min(felt, key=lambda row: float(row["sentiment_avg"]))
    return f"{seen} The mood is lowest at {_place(worst)} ({words.mood(worst['sentiment_avg'])})."


def _place(row: Row) -> str:
    return f"{words.name(row['channel'])} in stage {row['stage']}"


def _reach(rows: Sequence[Row], palette: Palette) -> Figure:
    colours = [[0, palette.soft], [1, palette.peak]]
    return _map(rows, palette, "share_of_customers", words.share, {"colorscale": colours, "zmin": 0})


def _mood(rows: Sequence[Row], palette: Palette) -> Figure:
    colours = [[0, palette.bad], [0.5, palette.neutral], [1, palette.good]]
    return _map(rows, palette, "sentiment_avg", words.mood, {"colorscale": colours, "zmin": -1, "zmax": 1})


def _map(
    rows: Sequence[Row], palette: Palette, field: str, write: Callable[[Any], str], look: dict[str, Any]
) -> Figure:
    channels, stages = by_weight(rows), list(catalogue().stages)
    found = {(row["channel"], row["stage"]): row[field] for row in rows}
    values = [[found.get((channel, stage)) for stage in stages] for channel in channels]
    heat = {
        "type": "heatmap",
        "x": stages,
        "y": [plain(words.name(channel)) for channel in channels],
        "z": values,
        "text": [["" if value is None else write(value) for value in line] for line in values],
        "texttemplate": "%{text}",
        "hovertemplate": "%{y}, %{x}: %{text}<extra></extra>",
        "hoverongaps": False,
        "xgap": 2,
        "ygap": 2,
        "showscale": False,
        **look,
    }
    return figure(
        palette,
        [heat],
        xaxis={"side": "top", "showgrid": False, "tickfont": {"size": 12}},
        yaxis={"autorange": "reversed", "showgrid": False},
    )
