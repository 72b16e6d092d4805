"""The funnel: how many journeys meet each stage, go on, and drop out there."""

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
    Column("journeys", "Journeys", words.count, "Journeys that met the stage"),
    Column("customers", "Customers", words.count, "Persons who met it"),
    Column("went_on", "Went on", words.count, "Journeys that met a later stage too"),
    Column("went_on_rate", "Went on, share", words.share),
    Column("met_next", "Met the next", words.count, "Journeys that met the very next stage"),
    Column("dropped_out", "Dropped out", words.count, "Over without a later stage or a conversion"),
    Column("drop_out_rate", "Dropped out, share", words.share),
    Column("still_open", "Still open", words.count, "May still meet a later stage"),
    Column("converted", "Converted", words.count, "Journeys that converted, at whatever stage"),
    Column("conversion_rate", "Converted, share", words.share),
)


def section(answers: Answers) -> Section:
    """Where customers drop out."""
    rows = answers.stages
    return Section(
        id="stage_conversion",
        title="Funnel",
        question="Where do customers drop out?",
        finding=_finding(rows),
        view="stage_conversion",
        table=Table("Journeys by stage", _COLUMNS, rows),
        charts=(Chart("funnel", "Journeys that met each stage, and what became of them", 340, partial(_draw, rows)),),
        note="A journey is no straight line: it may begin at any stage, and counts at every stage it met. "
        "Journeys are of persons, across the devices that are linked to them.",
    )


def _finding(rows: Sequence[Row]) -> str:
    met = [row for row in rows if row["journeys"]]
    if not met:
        return "No journey has begun yet."
    worst = max(met, key=lambda row: float(row["drop_out_rate"]))
    return (
        f"The largest share drops out at {worst['stage']}: {words.share(worst['drop_out_rate'])} "
        f"of the {words.count(worst['journeys'])} journeys that met it ended there."
    )


def _draw(rows: Sequence[Row], palette: Palette) -> Figure:
    parts = (
        ("met a later stage", [row["went_on"] for row in rows], palette.accent),
        ("ended converted", [_ended_converted(row) for row in rows], palette.good),
        ("still open", [row["still_open"] for row in rows], palette.neutral),
        ("dropped out", [row["dropped_out"] for row in rows], palette.bad),
    )
    bars = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "x": counts,
            "y": [row["stage"] for row in rows],
            "marker": {"color": colour},
            "hovertemplate": f"%{{y}}: %{{x:,}} {name}<extra></extra>",
        }
        for name, counts, colour in parts
    ]
    return figure(
        palette,
        bars,
        barmode="stack",
        showlegend=True,
        legend={"traceorder": "normal"},
        xaxis={"title": {"text": "journeys"}},
        yaxis={"autorange": "reversed", "showgrid": False},
    )


def _ended_converted(row: Row) -> int:
    """Journeys whose last stage this was, and that had converted by then."""
    return int(row["journeys"] - row["went_on"] - row["still_open"] - row["dropped_out"])
