CREATE OR REPLACE VIEW journeys /*on_cluster*/
(
    customer_id String COMMENT 'Key of the customer',
    journey_id UUID COMMENT 'UUIDv5 of customer and first touchpoint',
    revision Int64 COMMENT 'Grows with every change of the customer; the highest of a journey stands',
    started_at DateTime64(3, 'UTC') COMMENT 'First inbound touchpoint, UTC',
    ended_at DateTime64(3, 'UTC') COMMENT 'Last inbound touchpoint so far, UTC',
    visits Int32 COMMENT 'Visits',
    touchpoints Int32 COMMENT 'Inbound touchpoints',
    channels Array(String) COMMENT 'Channels used, sorted',
    stages Array(String) COMMENT 'Stages reached, sorted',
    path Array(String) COMMENT 'channel.touchpoint of the first touchpoints in order of time',
    first_channel String COMMENT 'Channel of the first touchpoint',
    last_channel String COMMENT 'Channel of the last touchpoint',
    converted_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First touchpoint with outcome converted, UTC',
    value Nullable(Float64) COMMENT 'Sum of values where all are in one currency, else null',
    currency Nullable(String) COMMENT 'That currency',
    values Map(String, Float64) COMMENT 'Sum of values by currency',
    sentiment_avg Nullable(Float64) COMMENT 'Mean sentiment of the touchpoints that have one',
    sentiment_min Nullable(Float64) COMMENT 'Lowest sentiment',
    escalations Int32 COMMENT 'Touchpoints with outcome escalated',
    unresolved Int32 COMMENT 'Touchpoints with outcome unresolved',
    truncated Bool COMMENT 'True: path holds only the first touchpoints',
    is_open Bool COMMENT 'True: a touchpoint of this moment would still extend it'
)
AS WITH
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'journey_gap_days')) AS gap_days
SELECT
    customer_id,
    journey_id,
    revision,
    started_at,
    ended_at,
    visits,
    touchpoints,
    channels,
    stages,
    path,
    first_channel,
    last_channel,
    converted_at,
    value,
    currency,
    values,
    sentiment_avg,
    sentiment_min,
    escalations,
    unresolved,
    truncated,
    ended_at + toIntervalDay(gap_days) >= now64(3) AS is_open
FROM journeys_log FINAL
WHERE NOT withdrawn
COMMENT 'Journeys: visits of one customer with no gap over 14 days (TOUCHLINE_JOURNEY_GAP_DAYS)';
