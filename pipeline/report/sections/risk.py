"""How the risk of leaving is spread over the customers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipeline.report import words
from pipeline.report.asking import Answers
from pipeline.report.chart import Chart, Figure, figure
from pipeline.report.palette import Palette
from pipeline.report.section import Section
from pipeline.report.tables import Column, Row, Table, label
from pipeline.risk import LEVELS

_STEP = 10


def section(answers: Answers) -> Section:
    """How many customers stand at which score, and at which level."""
    numbers, rows = answers.numbers, answers.risk
    pressing = numbers["high"] + numbers["critical"]
    customers = numbers["customers"]
    portion = f" ({words.share(pressing / customers)})" if customers else ""
    return Section(
        id="risk",
        title="Risk of leaving",
        question="How many customers are about to leave?",
        finding=f"{words.count(pressing)} of {words.count(customers)} customers{portion} stand at high or critical; "
        f"{words.count(numbers['gone'])} have left.",
        view="customers",
        table=Table(
            "Customers by score and level",
            (
                Column("from_score", "Score", _range),
                label("level", "Level"),
                Column("customers", "Customers", words.count),
            ),
            rows,
        ),
        charts=(
            Chart("risk-levels", "Customers by level of risk", 280, partial(_levels, rows)),
            Chart("risk-scores", "Customers by score of risk, 0 to 100", 280, partial(_scores, rows)),
        ),
        note="Scores are those of each customer's last touchpoint, from 0 to 100.",
    )


def _range(start: int) -> str:
    return f"{start} to {start + _STEP}"


def _levels(rows: Sequence[Row], palette: Palette) -> Figure:
    counts = {level: sum(row["customers"] for row in rows if row["level"] == level) for level in LEVELS}
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": list(counts.values()),
        "y": list(counts),
        "text": [words.count(value) for value in counts.values()],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": [palette.level(level) for level in counts]},
        "hovertemplate": "%{y}: %{text} customers<extra></extra>",
    }
    longest = {"visible": False, "range": [0, 1.3 * max(1, *counts.values())]}
    return figure(palette, [bars], xaxis=longest, yaxis={"autorange": "reversed", "showgrid": False})


def _scores(rows: Sequence[Row], palette: Palette) -> Figure:
    bars = [
        {
            "type": "bar",
            "name": level,
            "x": [row["from_score"] + _STEP / 2 for row in mine],
            "y": [row["customers"] for row in mine],
            "width": _STEP * 0.9,
            "customdata": [_range(row["from_score"]) for row in mine],
            "marker": {"color": palette.level(level)},
            "hovertemplate": f"score %{{customdata}}, {level}: %{{y:,}} customers<extra></extra>",
        }
        for level in LEVELS
        if (mine := [row for row in rows if row["level"] == level])
    ]
    return figure(
        palette,
        bars,
        barmode="stack",
        xaxis={"title": {"text": "score"}, "range": [0, 103], "dtick": 20, "showgrid": False},
        yaxis={"title": {"text": "customers"}},
    )
