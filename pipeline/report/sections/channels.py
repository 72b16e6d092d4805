"""The channels: which work best, which cost least."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.report import words
from pipeline.report.asking import Answers
from pipeline.report.section import Section
from pipeline.report.tables import Column, Row, Table, label

_ENOUGH_JOURNEYS = 30
"""Fewer journeys say little, so the sentence above the table leaves such channels out."""
_COLUMNS = (
    label("channel", "Channel", words.name),
    label("medium", "Medium", words.text, "digital, human or physical"),
    label("relationship", "Relationship", words.name),
    Column("touchpoints", "Touchpoints", words.count, "Both directions"),
    Column("customers", "Customers", words.count, "Customers and unknown visitors seen in it"),
    Column("journeys", "Journeys", words.count, "Journeys that used it"),
    Column("opened", "Opened", words.count, "Journeys that began in it"),
    Column("closed", "Closed", words.count, "Journeys whose last touchpoint so far was in it"),
    Column("converted", "Converted", words.count, "Journeys that used it and converted"),
    Column("conversion_rate", "Of its journeys", words.share, "Share of its journeys that converted"),
    Column("sentiment_avg", "Mood", words.mood, "Mean sentiment, -1 to 1, where one was recorded"),
    Column("resolved", "Resolved", words.count, "Touchpoints resolved"),
    Column("unresolved", "Went badly", words.count, "Touchpoints unresolved, escalated, abandoned or failed"),
    Column("wait_ms_avg", "Mean wait", words.span),
    label("values", "Value", words.money, "Sum of values by currency"),
    Column("cost", "Cost", words.amount, "Touchpoints times the cost of one touch, in the deployment's currency"),
    Column("cost_per_conversion", "Per conversion", words.amount, "Cost divided by journeys converted"),
)


def section(answers: Answers) -> Section:
    """How each channel does."""
    return Section(
        id="channel_performance",
        title="Channels",
        question="Which channels work best, and which cost least?",
        finding=_finding(answers.channels),
        view="channel_performance",
        table=Table("Channels, the busiest first", _COLUMNS, answers.channels),
        note="A journey that used several channels counts in each of them.",
        shown=True,
    )


def _finding(rows: Sequence[Row]) -> str:
    opener = max(rows, key=lambda row: int(row["opened"]))
    said = f"Of {len(rows)} channels, {words.name(opener['channel'])} opens the most journeys"
    priced = [row for row in rows if row["cost"] > 0 and row["journeys"] >= _ENOUGH_JOURNEYS and row["converted"]]
    if not priced:
        return f"{said}."
    cheapest = min(priced, key=lambda row: float(row["cost_per_conversion"]))
    return f"{said}; {words.name(cheapest['channel'])} costs least per journey that converted."
