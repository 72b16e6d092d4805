-- The order is the log's: a touchpoint is late when, at its turn, its customer had already been seen more than
-- history_days later. The maximum is over the rows before it, so a late one never makes another late.
CREATE OR REPLACE VIEW late_touchpoints /*on_cluster*/
(
    customer_id String COMMENT 'The customer',
    event_id UUID COMMENT 'The touchpoint',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC',
    received_at DateTime64(3, 'UTC') COMMENT 'When the edge took it in, UTC',
    latest_before DateTime64(3, 'UTC') COMMENT 'Latest touchpoint of the customer that stood before it in the log, UTC',
    channel String COMMENT 'Channel of the catalogue',
    touchpoint String COMMENT 'Touchpoint of the channel',
    source String COMMENT 'The way in',
    import_id Nullable(String) COMMENT 'The backfill that brought it',
    kafka_epoch Int64 COMMENT 'Epoch of topic touchpoints',
    kafka_partition Int32 COMMENT 'Partition',
    kafka_offset Int64 COMMENT 'Offset'
)
AS WITH
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'history_days')) AS history_days
SELECT
    customer_id,
    event_id,
    occurred_at,
    received_at,
    latest_before,
    channel,
    touchpoint,
    source,
    import_id,
    kafka_epoch,
    kafka_partition,
    kafka_offset
FROM
(
    SELECT
        *,
        max(occurred_at) OVER
        (
            PARTITION BY customer_id
            ORDER BY kafka_epoch, kafka_offset
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS latest_before
    FROM touchpoints
)
WHERE occurred_at < latest_before - toIntervalDay(history_days)
COMMENT 'Touchpoints that came too late to change their journey (TOUCHLINE_HISTORY_DAYS); a rebuild takes them in';
