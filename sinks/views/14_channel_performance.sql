-- Works per key, as journeys do; a touchpoint that came too late for the live journeys (late_touchpoints) counts among the
-- touchpoints and not among the journeys. How channels work together stands in channel_handoffs. Costs are those of the
-- catalogue, so they are in one currency; values are kept apart by currency. Reads touchpoints and journeys, once each.
CREATE OR REPLACE VIEW channel_performance /*on_cluster*/
(
    channel String COMMENT 'Channel',
    medium String COMMENT 'digital, human or physical',
    relationship String COMMENT 'personal, dedicated, self_service, automated, community or co_creation',
    touchpoints UInt64 COMMENT 'Touchpoints, both directions',
    inbound UInt64 COMMENT 'Touchpoints the customers came with',
    customers UInt64 COMMENT 'Customers seen in it',
    journeys UInt64 COMMENT 'Journeys that used it',
    opened UInt64 COMMENT 'Journeys that began in it',
    closed UInt64 COMMENT 'Journeys whose last touchpoint so far was in it',
    converted UInt64 COMMENT 'Journeys that used it and converted',
    conversion_rate Nullable(Float64) COMMENT 'converted / journeys, 0 to 1; null without journeys',
    sentiment_avg Nullable(Float64) COMMENT 'Mean mood, -1 to 1; null when none was recorded',
    resolved UInt64 COMMENT 'Touchpoints with outcome resolved',
    unresolved UInt64 COMMENT 'Touchpoints with outcome unresolved, escalated, abandoned or failed',
    resolution_rate Nullable(Float64) COMMENT 'resolved / (resolved + unresolved), 0 to 1; null where neither was recorded',
    wait_ms_avg Nullable(Float64) COMMENT 'Mean wait, milliseconds; null when none was recorded',
    duration_ms_avg Nullable(Float64) COMMENT 'Mean duration, milliseconds; null when none was recorded',
    values Map(String, Float64) COMMENT 'Sum of values of its touchpoints by currency, without what failed',
    cost Float64 COMMENT 'touchpoints times the cost of one touch, in the currency of the deployment',
    cost_per_customer Float64 COMMENT 'cost / customers',
    cost_per_conversion Nullable(Float64) COMMENT 'cost / converted; null without conversions',
    cost_per_resolution Nullable(Float64) COMMENT 'cost / resolved; null where nothing was resolved'
)
AS SELECT
    channel,
    ifNull(facts.medium, '') AS medium,
    ifNull(facts.relationship, '') AS relationship,
    touches.touchpoints AS touchpoints,
    touches.inbound AS inbound,
    touches.customers AS customers,
    ifNull(paths.journeys, 0) AS journeys,
    ifNull(paths.opened, 0) AS opened,
    ifNull(paths.closed, 0) AS closed,
    ifNull(paths.converted, 0) AS converted,
    if(journeys = 0, NULL, converted / journeys) AS conversion_rate,
    touches.sentiment_avg AS sentiment_avg,
    touches.resolved AS resolved,
    touches.unresolved AS unresolved,
    if(resolved + unresolved = 0, NULL, resolved / (resolved + unresolved)) AS resolution_rate,
    touches.wait_ms_avg AS wait_ms_avg,
    touches.duration_ms_avg AS duration_ms_avg,
    touches.values AS values,
    touchpoints * ifNull(facts.cost_per_touch, 0) AS cost,
    cost / customers AS cost_per_customer,
    if(converted = 0, NULL, cost / converted) AS cost_per_conversion,
    if(resolved = 0, NULL, cost / resolved) AS cost_per_resolution
FROM
(
    SELECT
        channel,
        count() AS touchpoints,
        countIf(direction = 'inbound') AS inbound,
        uniqExact(customer_id) AS customers,
        sum(toInt64(round(sentiment * 1000000))) / count(sentiment) / 1000000 AS sentiment_avg,
        countIf(outcome = 'resolved') AS resolved,
        countIf(outcome IN ('unresolved', 'escalated', 'abandoned', 'failed')) AS unresolved,
        sum(wait_ms) / count(wait_ms) AS wait_ms_avg,
        sum(duration_ms) / count(duration_ms) AS duration_ms_avg,
        mapSort(mapApply(
            (name, amount) -> (name, amount / 10000),
            sumMapIf(
                map(ifNull(currency, ''), toInt128(round(ifNull(value, 0) * 10000))),
                isNotNull(value) AND ifNull(outcome, '') != 'failed'
            )
        )) AS values
    FROM touchpoints
    GROUP BY channel
) AS touches
LEFT JOIN
(
    SELECT
        channel,
        count() AS journeys,
        countIf(first_channel = channel) AS opened,
        countIf(last_channel = channel) AS closed,
        countIf(isNotNull(converted_at)) AS converted
    FROM journeys
    ARRAY JOIN channels AS channel
    GROUP BY channel
) AS paths USING (channel)
LEFT JOIN
(
    SELECT
        channel,
        any(medium) AS medium,
        any(relationship) AS relationship,
        any(cost_per_touch) AS cost_per_touch
    FROM catalogue
    GROUP BY channel
) AS facts USING (channel)
ORDER BY touchpoints DESC, channel
COMMENT 'Which channels work best and which cost least';
