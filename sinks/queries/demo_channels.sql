SELECT
    channel,
    touchpoints,
    customers,
    journeys,
    opened,
    closed,
    conversion_rate,
    sentiment_avg,
    unresolved,
    cost
FROM channel_performance
