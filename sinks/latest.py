"""Which questions are answered ahead: those whose view looks at the whole company (sinks/COST.md has the figures).

The view stays the truth, exact as of now; `latest_<name>` holds its answer as of the column `as_of`.
"""

from __future__ import annotations

from itertools import pairwise

from sinks import sql

QUESTIONS = (
    "voice_of_customer",
    "delivery_and_billing",
    "campaign_results",
    "touchpoint_usage",
    "moments_of_truth",
    "channel_performance",
    "relationship_performance",
    "stage_conversion",
    "abandonment",
    "support_quality",
    "channel_handoffs",
    "touchpoint_priorities",
    "journey_map",
)
"""In the order in which they are answered, one at a time: the costly ones last, so that they hold nobody up.

Only views that name no customer: what was forgotten must be gone from ClickHouse at once.
"""


def statements() -> tuple[str, ...]:
    """Return what makes the tables and keeps them filled; running it again changes nothing."""
    template = sql.statements(sql.read(".", "latest.sql"))
    before = {name: f"DEPENDS ON `refresh_{other}`" for other, name in pairwise(QUESTIONS)}
    return tuple(
        statement.replace("/*question*/", name).replace("/*after*/", before.get(name, ""))
        for name in QUESTIONS
        for statement in template
    )
