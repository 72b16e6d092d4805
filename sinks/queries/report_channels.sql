SELECT
    channel,
    medium,
    relationship,
    touchpoints,
    customers,
    journeys,
    opened,
    closed,
    converted,
    conversion_rate,
    sentiment_avg,
    resolved,
    unresolved,
    wait_ms_avg,
    values,
    cost,
    cost_per_conversion
FROM channel_performance
LIMIT 1000
