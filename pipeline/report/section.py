"""A section of a report: a question, its answer in a sentence, charts, and the table behind them."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.report.chart import Chart
from pipeline.report.tables import Table


@dataclass(frozen=True)
class Section:
    """A section; `id` is its anchor and the name of its CSV file, `view` where its rows come from."""

    id: str
    title: str
    question: str
    finding: str
    view: str
    table: Table
    charts: tuple[Chart, ...] = ()
    note: str = ""
    shown: bool = False
    """True: the table stands open, being what matters most."""
