"""How the channels work together: from which to which customers go."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from pipeline.report import words
from pipeline.report.asking import Answers
from pipeline.report.chart import Chart, Figure, figure, plain
from pipeline.report.palette import Palette
from pipeline.report.section import Section
from pipeline.report.tables import Column, Row, Table, label

_COLUMNS = (
    label("from_channel", "From", words.name),
    label("to_channel", "To", words.name),
    Column("handoffs", "Hand-offs", words.count, "How often customers went from the one to the other"),
    Column("journeys", "Journeys", words.count, "Journeys in which that happened"),
    Column("customers", "Customers", words.count, "Persons who did"),
    Column("share", "Of those leaving", words.share, "Of all hand-offs from this channel, the share that went there"),
    Column("within_visit", "Within a visit", words.count, "No longer apart than the gap between visits"),
    Column("between_ms_p50", "Time between", words.span, "Median"),
    Column("conversion_rate", "Converted after", words.share, "Share of the journeys that converted there or later"),
)
_PIXELS = 34


def section(answers: Answers) -> Section:
    """The most frequent changes of channel within a journey."""
    rows = answers.handoffs
    pairs = rows[0]["pairs"] if rows else 0
    cut = f"The {len(rows)} most frequent of {words.count(pairs)} pairs" if len(rows) < pairs else f"All {pairs} pairs"
    sides = max(len({row[side] for row in rows}) for side in ("from_channel", "to_channel")) if rows else 0
    title = f"Hand-offs from channel (left) to channel (right); {cut[0].lower() + cut[1:]}"
    chart = Chart("handoffs", title, 120 + _PIXELS * sides, partial(_draw, rows))
    return Section(
        id="channel_handoffs",
        title="Hand-offs",
        question="How do the channels work together?",
        finding=_finding(rows),
        view="channel_handoffs",
        table=Table(cut, _COLUMNS, rows),
        charts=(chart,) if rows else (),
        note="A hand-off is a change of channel within a journey of a person, across linked devices.",
    )


def _finding(rows: Sequence[Row]) -> str:
    if not rows:
        return "No journey has changed its channel yet."
    first = rows[0]
    return (
        f"Most go from {words.name(first['from_channel'])} to {words.name(first['to_channel'])}: "
        f"{words.count(first['handoffs'])} times, {words.share(first['share'])} of all that leave "
        f"{words.name(first['from_channel'])}."
    )


def _draw(rows: Sequence[Row], palette: Palette) -> Figure:
    left = _side(rows, "from_channel")
    right = _side(rows, "to_channel")
    sankey = {
        "type": "sankey",
        "arrangement": "fixed",
        "node": {
            "label": [plain(words.name(channel)) for channel in (*left, *right)],
            "color": palette.accent,
            "line": {"width": 0},
            "pad": 10,
            "thickness": 12,
            "hovertemplate": "%{label}: %{value:,} hand-offs<extra></extra>",
        },
        "link": {
            "source": [left[row["from_channel"]] for row in rows],
            "target": [len(left) + right[row["to_channel"]] for row in rows],
            "value": [row["handoffs"] for row in rows],
            "color": palette.flow,
            "hovercolor": palette.accent,
            "customdata": [words.share(row["conversion_rate"]) for row in rows],
            "hovertemplate": "%{source.label} to %{target.label}: %{value:,}, "
            "of whose journeys %{customdata} converted<extra></extra>",
        },
    }
    return figure(palette, [sankey])


def _side(rows: Sequence[Row], field: str) -> dict[str, int]:
    """The channels of one side and their numbers, in the order in which they first come."""
    return {channel: number for number, channel in enumerate(dict.fromkeys(row[field] for row in rows))}
