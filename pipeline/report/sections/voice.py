"""The voice of the customer: what customers say when asked, week by week."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pipeline.report import words
from pipeline.report.asking import WEEKS, Answers
from pipeline.report.chart import Chart, Figure, figure
from pipeline.report.palette import Palette
from pipeline.report.section import Section
from pipeline.report.tables import Column, Row, Table, label

_HEIGHT = 260
_COLUMNS = (
    label("week", "Week of", words.day, "Monday, UTC"),
    Column("answers", "Answers", words.count, "Answers of all three kinds"),
    Column("nps", "NPS", words.signed, "Net promoter score, -100 to 100: share of promoters less that of detractors"),
    Column("nps_answers", "Answers to it", words.count),
    Column("promoters", "Promoters", words.count, "9 and 10"),
    Column("passives", "Passives", words.count, "7 and 8"),
    Column("detractors", "Detractors", words.count, "0 to 6"),
    Column("csat", "CSAT", words.share, "Share of the satisfied: 4 and 5 of 5"),
    Column("satisfied", "Satisfied", words.count, "4 and 5 of 5"),
    Column("csat_answers", "Answers to it", words.count),
    Column("ces", "CES", words.amount, "Mean of 1 to 7: how easy it was, 7 the easiest"),
    Column("ces_answers", "Answers to it", words.count),
)


def section(answers: Answers) -> Section:
    """NPS, CSAT and CES over time."""
    rows = answers.voice
    weeks = f"The latest {WEEKS} weeks with answers" if len(rows) == WEEKS else "All weeks with answers"
    return Section(
        id="voice_of_customer",
        title="Voice of the customer",
        question="What do customers say when asked?",
        finding=_finding(rows),
        view="voice_of_customer",
        table=Table(weeks, _COLUMNS, rows),
        charts=tuple(_charts(rows)) if rows else (),
        note="The latest week may still be under way.",
    )


def _charts(rows: Sequence[Row]) -> list[Chart]:
    scores = (
        ("nps", "Net promoter score by week, -100 to +100", words.signed, {"range": [-100, 100], "dtick": 50}),
        ("csat", "Satisfied customers (CSAT 4 and 5) by week", words.share, {"range": [0, 1], "tickformat": ".0%"}),
        ("ces", "Ease (CES) by week, 1 to 7", words.amount, {"range": [0.8, 7.2], "tick0": 1, "dtick": 2}),
    )
    return [
        Chart(f"voice-{field}", title, _HEIGHT, partial(_draw, rows, field, write, axis))
        for field, title, write, axis in scores
    ]


def _finding(rows: Sequence[Row]) -> str:
    asked = [row for row in rows if row["nps"] is not None]
    if not asked:
        return "Nobody has answered the question for NPS yet." if rows else "No survey has been answered yet."
    latest = max(asked, key=lambda row: row["week"])
    return (
        f"In the week of {words.day(latest['week'])} the net promoter score is {words.signed(latest['nps'])} "
        f"({words.count(latest['nps_answers'])} answers)."
    )


def _draw(
    rows: Sequence[Row], field: str, write: Callable[[Any], str], axis: dict[str, Any], palette: Palette
) -> Figure:
    asked = sorted((row for row in rows if row[field] is not None), key=lambda row: row["week"])
    line = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [words.day(row["week"]) for row in asked],
        "y": [row[field] for row in asked],
        "text": [write(row[field]) for row in asked],
        "customdata": [words.count(row[f"{field}_answers"]) for row in asked],
        "line": {"width": 3, "color": palette.accent},
        "marker": {"size": 7, "color": palette.accent},
        "cliponaxis": False,
        "hovertemplate": "week of %{x}: %{text}, of %{customdata} answers<extra></extra>",
    }
    return figure(palette, [line], xaxis={"type": "date", "showgrid": False}, yaxis=axis)
