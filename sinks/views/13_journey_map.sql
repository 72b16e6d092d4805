-- A touchpoint belongs to the journey it falls in by time; outbound ones extend nothing but are shown where they fall. Works
-- per key, as journeys do: who went from one device to another shows twice. Reads touchpoints twice (once for the ids alone)
-- and journeys once. Means are of whole millionths and milliseconds, so that the order of adding shows nowhere.
CREATE OR REPLACE VIEW journey_map /*on_cluster*/
(
    position UInt8 COMMENT 'Place of the stage in a journey, from 1',
    stage String COMMENT 'Stage',
    channel String COMMENT 'Channel',
    medium String COMMENT 'digital, human or physical',
    touchpoints UInt64 COMMENT 'Touchpoints, both directions',
    inbound UInt64 COMMENT 'Touchpoints the customers came with',
    outbound UInt64 COMMENT 'Touchpoints the company sent',
    customers UInt64 COMMENT 'Customers seen here',
    share_of_customers Float64 COMMENT 'Of all customers, the share seen here, 0 to 1',
    journeys UInt64 COMMENT 'Journeys that came through here',
    top_touchpoints Array(String) COMMENT 'The three most frequent touchpoints, the most frequent first',
    sentiment_avg Nullable(Float64) COMMENT 'Mean mood, -1 to 1; null when none was recorded',
    moods UInt64 COMMENT 'Touchpoints that recorded a mood',
    converted UInt64 COMMENT 'Touchpoints with outcome converted',
    unresolved UInt64 COMMENT 'Touchpoints with outcome unresolved, escalated, abandoned or failed',
    wait_ms_avg Nullable(Float64) COMMENT 'Mean wait, milliseconds; null when none was recorded',
    values Map(String, Float64) COMMENT 'Sum of values by currency, without what failed'
)
AS WITH
    assumeNotNull((SELECT uniqExact(customer_id) FROM touchpoints)) AS everyone,
    media AS (SELECT channel, any(medium) AS medium FROM catalogue GROUP BY channel)
SELECT
    toUInt8(indexOf(['awareness', 'consideration', 'purchase', 'delivery', 'service', 'loyalty'], stage)) AS position,
    stage,
    places.channel AS channel,
    ifNull(media.medium, '') AS medium,
    touchpoints,
    inbound,
    outbound,
    customers,
    customers / greatest(everyone, 1) AS share_of_customers,
    journeys,
    top_touchpoints,
    sentiment_avg,
    moods,
    converted,
    unresolved,
    wait_ms_avg,
    values
FROM
(
    SELECT
        stage,
        channel,
        count() AS touchpoints,
        countIf(direction = 'inbound') AS inbound,
        countIf(direction = 'outbound') AS outbound,
        uniqExact(customer_id) AS customers,
        uniqExactIf(journey.journey_id, ifNull(occurred_at <= journey.ended_at, false)) AS journeys,
        arraySlice(
            arrayMap(
                use -> use.1,
                arraySort(use -> (-use.2, use.1), CAST(sumMap(map(touchpoint, 1)), 'Array(Tuple(String, Int64))'))
            ),
            1, 3
        ) AS top_touchpoints,
        count(sentiment) AS moods,
        sum(toInt64(round(sentiment * 1000000))) / moods / 1000000 AS sentiment_avg,
        countIf(outcome = 'converted') AS converted,
        countIf(outcome IN ('unresolved', 'escalated', 'abandoned', 'failed')) AS unresolved,
        sum(wait_ms) / count(wait_ms) AS wait_ms_avg,
        mapSort(mapApply(
            (name, amount) -> (name, amount / 10000),
            sumMapIf(
                map(ifNull(currency, ''), toInt128(round(ifNull(value, 0) * 10000))),
                isNotNull(value) AND ifNull(outcome, '') != 'failed'
            )
        )) AS values
    FROM touchpoints
    ASOF LEFT JOIN (SELECT customer_id AS owner, journey_id, started_at, ended_at FROM journeys) AS journey
        ON touchpoints.customer_id = journey.owner AND touchpoints.occurred_at >= journey.started_at
    GROUP BY stage, channel
) AS places
LEFT JOIN media USING (channel)
ORDER BY position, touchpoints DESC, channel
COMMENT 'What a journey looks like, from first contact to after-sales, by stage and channel';
