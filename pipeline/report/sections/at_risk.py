"""The customers at risk, the most urgent first: why, since when, and what to do."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pipeline.report import words
from pipeline.report.asking import Answers
from pipeline.report.section import Section
from pipeline.report.tables import Column, Table, label, listing, time


def section(answers: Answers) -> Section:
    """Who is at risk of leaving, why, since when, and what should be done."""
    numbers, rows = answers.numbers, answers.at_risk
    total = numbers["medium"] + numbers["high"] + numbers["critical"]
    cut = len(rows) < total
    return Section(
        id="customers_at_risk",
        title="Customers at risk",
        question="Who is at risk of leaving, why, since when, and what should be done?",
        finding=_finding(answers),
        view="customers_at_risk",
        table=Table(
            f"The {len(rows):,} most urgent of {total:,}" if cut else f"All {total:,}, the most urgent first",
            (
                label("customer_id", "Customer"),
                Column("score", "Score", words.tenths, "0 to 100"),
                label("level", "Level"),
                listing("reasons", "Why, and the points it adds", _reasons),
                label("action", "What to do", words.name),
                label("alert_status", "Alert", words.text, "open, or acknowledged: somebody has taken it on"),
                label("acknowledged_by", "Taken on by"),
                time("since", "Since", "When it came to this level, UTC"),
                time("last_seen_at", "Last seen"),
                label("last_channel", "Last channel", words.name),
                label("values", "Spent", words.money, "Sum of values by currency"),
            ),
            rows,
            cards=True,
        ),
        note="Levels medium, high and critical; customers who have left, and visitors nobody knows, are not listed.",
        shown=True,
    )


def _finding(answers: Answers) -> str:
    first = Counter(row["reasons"][0]["code"] for row in answers.at_risk if row["reasons"])
    if not first:
        return "Nobody is at risk."
    (code, customers), *_ = first.most_common(1)
    return (
        f"The most frequent main reason among those listed is “{words.name(code)}” "
        f"({customers:,} of {len(answers.at_risk):,})."
    )


def _reasons(reasons: list[dict[str, Any]]) -> list[str]:
    return [f"{reason['points']:+g} {reason['text']}" for reason in reasons] or [words.NOTHING]
