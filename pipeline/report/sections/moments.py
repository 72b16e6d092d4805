"""The moments of truth: the touchpoints at which the mood turns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipeline.report import words
from pipeline.report.asking import LISTED, Answers
from pipeline.report.chart import Chart, Figure, figure, plain
from pipeline.report.palette import Palette
from pipeline.report.section import Section
from pipeline.report.tables import Column, Row, Table, label

_DRAWN = 12
_COLUMNS = (
    label("touchpoint", "Touchpoint"),
    label("channel", "Channel", words.name),
    label("stage", "Stage"),
    Column("turned_bad", "Turned bad", words.count, "Bad moods of customers whose mood before was not bad"),
    Column("turned_good", "Turned good", words.count, "Good moods of customers whose mood before was not good"),
    Column("change_avg", "Mean change", words.mood, "Mean change against the mood before, -2 to 2"),
    Column("sentiment_avg", "Mood", words.mood, "Mean sentiment here, -1 to 1"),
    Column("moods", "Moods recorded", words.count, "Touchpoints that recorded a mood"),
    Column("customers", "Customers", words.count, "Customers whose mood was recorded here"),
)


def section(answers: Answers) -> Section:
    """Where the feeling turns."""
    rows = answers.moments
    drawn = rows[:_DRAWN]
    title = f"How often the mood turned bad (left) and good (right), at the first {len(drawn)} of the table"
    chart = Chart("moments", title, 60 + 30 * len(drawn), partial(_draw, drawn))
    return Section(
        id="moments_of_truth",
        title="Moments of truth",
        question="At which touchpoints does the feeling turn?",
        finding=_finding(rows),
        view="moments_of_truth",
        table=Table(
            f"The {LISTED} at which it turns most often" if len(rows) == LISTED else "All of them", _COLUMNS, rows
        ),
        charts=(chart,) if rows else (),
        note="Good is a mood of 0.35 or more, bad one of -0.35 or less, on a scale from -1 to 1.",
    )


def _finding(rows: Sequence[Row]) -> str:
    if not rows:
        return "The mood has not turned anywhere yet."
    worst = max(rows, key=lambda row: int(row["turned_bad"]))
    best = max(rows, key=lambda row: int(row["turned_good"]))
    return (
        f"The mood turns bad most often at {_name(worst)} ({words.count(worst['turned_bad'])} times), "
        f"and good at {_name(best)} ({words.count(best['turned_good'])} times)."
    )


def _name(row: Row) -> str:
    return f"{row['channel']}.{row['touchpoint']}"


def _draw(rows: Sequence[Row], palette: Palette) -> Figure:
    sides = (("turned_bad", -1, palette.bad, "bad"), ("turned_good", 1, palette.good, "good"))
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "x": [sign * row[field] for row in rows],
            "y": [plain(_name(row)) for row in rows],
            "text": [words.count(row[field]) for row in rows],
            "textposition": "auto",
            "marker": {"color": colour},
            "hovertemplate": f"%{{y}}: turned {word} %{{text}} times<extra></extra>",
        }
        for field, sign, colour, word in sides
    ]
    return figure(
        palette,
        bars,
        barmode="relative",
        xaxis={"showticklabels": False},
        yaxis={"autorange": "reversed", "showgrid": False},
    )
