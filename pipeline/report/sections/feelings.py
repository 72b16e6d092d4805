"""What customers feel at each stage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipeline.report import words
from pipeline.report.asking import Answers
from pipeline.report.chart import Chart, Figure, figure
from pipeline.report.palette import Palette
from pipeline.report.section import Section
from pipeline.report.tables import Column, Row, Table, label

_COLUMNS = (
    label("stage", "Stage"),
    Column("sentiment_avg", "Mood", words.mood, "Mean sentiment, -1 to 1"),
    Column("moods", "Moods recorded", words.count, "Touchpoints that recorded a mood"),
    Column("good", "Good", words.count, "Moods of 0.35 or more"),
    Column("bad", "Bad", words.count, "Moods of -0.35 or less"),
    Column("turned_good", "Turned good", words.count, "Good moods of customers whose mood before was not good"),
    Column("turned_bad", "Turned bad", words.count, "Bad moods of customers whose mood before was not bad"),
)


def section(answers: Answers) -> Section:
    """The mean mood along the journey."""
    rows = answers.feelings
    return Section(
        id="sentiment_by_stage",
        title="Mood by stage",
        question="What do customers feel at each stage?",
        finding=_finding(rows),
        view="moments_of_truth",
        table=Table("Mood by stage", _COLUMNS, rows),
        charts=(Chart("mood", "Mean mood at each stage, -1 to +1", 320, partial(_draw, rows)),) if rows else (),
        note="Over the touchpoints that recorded a mood; stages without one are not shown.",
    )


def _finding(rows: Sequence[Row]) -> str:
    if not rows:
        return "No mood has been recorded yet."
    low, high = (pick(rows, key=lambda row: float(row["sentiment_avg"])) for pick in (min, max))
    return (
        f"The mood is best at {high['stage']} ({words.mood(high['sentiment_avg'])}) "
        f"and worst at {low['stage']} ({words.mood(low['sentiment_avg'])})."
    )


def _draw(rows: Sequence[Row], palette: Palette) -> Figure:
    moods = [row["sentiment_avg"] for row in rows]
    curve = {
        "type": "scatter",
        "mode": "lines+markers+text",
        "x": [row["stage"] for row in rows],
        "y": moods,
        "text": [words.mood(mood) for mood in moods],
        "textposition": "top center",
        "cliponaxis": False,
        "customdata": [words.count(row["moods"]) for row in rows],
        "line": {"shape": "spline", "smoothing": 0.6, "width": 3, "color": palette.muted},
        "marker": {
            "size": 16,
            "color": [palette.good if mood >= 0 else palette.bad for mood in moods],
            "symbol": ["circle" if mood >= 0 else "diamond" for mood in moods],
            "line": {"color": palette.card, "width": 2},
        },
        "hovertemplate": "%{x}: %{text}, of %{customdata} moods<extra></extra>",
    }
    return figure(
        palette,
        [curve],
        xaxis={"showgrid": False, "showline": False},
        yaxis={"range": [-1, 1], "dtick": 0.5, "tickformat": "+.1f"},
    )
