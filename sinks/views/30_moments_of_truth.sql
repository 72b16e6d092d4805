-- Moods are bad up to -0.35 and good from 0.35, as for the signals of risk. A mood turns where it is bad or good and was not
-- so at the customer's touchpoint with a mood before, no longer ago than the gap between journeys; the first mood of all
-- turns nothing. Works per key: a mood is nearly always said by somebody known. What came too late for the live journeys
-- (late_touchpoints) counts. Reads the touchpoints with a mood, once; sums are of whole millionths, so that the order of
-- adding shows nowhere.
CREATE OR REPLACE VIEW moments_of_truth /*on_cluster*/
(
    position UInt8 COMMENT 'Place of the stage in a journey, from 1',
    stage String COMMENT 'Stage',
    channel String COMMENT 'Channel',
    touchpoint String COMMENT 'Touchpoint of the channel',
    moods UInt64 COMMENT 'Touchpoints that recorded a mood; those that did not are nowhere in this view',
    customers UInt64 COMMENT 'Customers whose mood was recorded here',
    sentiment_avg Float64 COMMENT 'Mean mood here, -1 to 1',
    stage_sentiment_avg Float64 COMMENT 'Mean mood of the whole stage, -1 to 1',
    bad UInt64 COMMENT 'Moods of -0.35 or less',
    good UInt64 COMMENT 'Moods of 0.35 or more',
    turned_bad UInt64 COMMENT 'Bad moods of customers whose mood before was not bad',
    turned_good UInt64 COMMENT 'Good moods of customers whose mood before was not good',
    change_avg Nullable(Float64) COMMENT 'Mean change against the mood before, -2 to 2; null where none was before'
)
AS WITH
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'journey_gap_days')) AS gap_days
SELECT
    toUInt8(indexOf(['awareness', 'consideration', 'purchase', 'delivery', 'service', 'loyalty'], stage)) AS position,
    stage,
    channel,
    touchpoint,
    count() AS moods,
    uniqExact(customer_id) AS customers,
    sum(mood) / moods / 1000000 AS sentiment_avg,
    sum(sum(mood)) OVER whole_stage / sum(count()) OVER whole_stage / 1000000 AS stage_sentiment_avg,
    countIf(is_bad) AS bad,
    countIf(is_good) AS good,
    countIf(is_bad AND mood_before > -350000) AS turned_bad,
    countIf(is_good AND mood_before < 350000) AS turned_good,
    if(count(mood_before) = 0, NULL, sumIf(mood - mood_before, isNotNull(mood_before)) / count(mood_before) / 1000000)
        AS change_avg
FROM
(
    SELECT
        customer_id,
        stage,
        channel,
        touchpoint,
        toInt64(round(assumeNotNull(sentiment) * 1000000)) AS mood,
        mood <= -350000 AS is_bad,
        mood >= 350000 AS is_good,
        lagInFrame(toNullable(occurred_at)) OVER in_order AS before,
        if(before + toIntervalDay(gap_days) >= occurred_at, lagInFrame(toNullable(mood)) OVER in_order, NULL)
            AS mood_before
    FROM touchpoints
    WHERE isNotNull(sentiment)
    WINDOW in_order AS (PARTITION BY customer_id ORDER BY (occurred_at, UUIDToNum(event_id)))
)
GROUP BY stage, channel, touchpoint
WINDOW whole_stage AS (PARTITION BY stage)
ORDER BY position, turned_bad + turned_good DESC, moods DESC, channel, touchpoint
COMMENT 'What customers feel at each stage, and at which touchpoints the feeling turns';
