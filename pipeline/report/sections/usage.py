"""The touchpoints in use, the most frequent first."""

from __future__ import annotations

from pipeline.report import words
from pipeline.report.asking import LISTED, Answers
from pipeline.report.section import Section
from pipeline.report.tables import Column, Table, label, time


def section(answers: Answers) -> Section:
    """Which touchpoints are used, and how often."""
    rows = answers.usage
    first = rows[0]
    return Section(
        id="touchpoint_usage",
        title="Touchpoints",
        question="Which touchpoints exist, and how often is each used?",
        finding=f"The most used is {first['channel']}.{first['touchpoint']}: {words.share(first['share'])} of all.",
        view="touchpoint_usage",
        table=Table(
            f"The {LISTED} most used" if len(rows) == LISTED else "All that are used",
            (
                label("touchpoint", "Touchpoint"),
                label("channel", "Channel", words.name),
                label("stage", "Stage"),
                Column("touchpoints", "Uses", words.count),
                Column("customers", "Customers", words.count, "Customers and unknown visitors who used it"),
                Column("share", "Of all", words.share, "Share of all touchpoints"),
                time("last_used_at", "Last used"),
            ),
            rows,
        ),
    )
