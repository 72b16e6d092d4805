SELECT
    position,
    stage,
    channel,
    touchpoints,
    customers,
    share_of_customers,
    journeys,
    top_touchpoints,
    sentiment_avg,
    converted,
    unresolved,
    wait_ms_avg
FROM journey_map
LIMIT 1000
