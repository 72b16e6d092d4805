"""Which questions are answered ahead: those whose view has to look at every touchpoint (sinks/COST.md has the figures).

The view stays the truth, exact as of now; `latest_<name>` holds its answer as of the column `as_of`.
"""

from __future__ import annotations

from sinks import sql

QUESTIONS = (
    "touchpoint_usage",
    "journey_map",
    "moments_of_truth",
    "channel_performance",
    "channel_handoffs",
    "touchpoint_priorities",
    "stage_conversion",
    "abandonment",
    "support_quality",
    "voice_of_customer",
    "delivery_and_billing",
    "relationship_performance",
    "campaign_results",
)
"""Of these only views that name no customer: what was forgotten must be gone from ClickHouse at once."""
PERIOD_MINUTES = 15


def statements() -> tuple[str, ...]:
    """Return what makes the tables and keeps them filled, one question at a time; running it again changes nothing."""
    template = sql.statements(sql.read(".", "latest.sql"))
    return tuple(
        statement.replace("/*question*/", name).replace("/*minute*/", str(place % PERIOD_MINUTES))
        for place, name in enumerate(QUESTIONS)
        for statement in template
    )
