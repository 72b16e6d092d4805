-- What the customers agent said was late, but for duplicates (another row stands for them) and what a rebuild has taken in.
CREATE OR REPLACE VIEW late_touchpoints /*on_cluster*/
(
    customer_id String COMMENT 'The customer',
    event_id UUID COMMENT 'The touchpoint',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC',
    received_at DateTime64(3, 'UTC') COMMENT 'When the edge took it in, UTC',
    accepted_from DateTime64(3, 'UTC') COMMENT 'What happened before this moment came too late when it was its turn, UTC',
    reason String COMMENT 'history: older than TOUCHLINE_HISTORY_DAYS; limit: older than what is remembered of this customer',
    channel String COMMENT 'Channel of the catalogue',
    touchpoint String COMMENT 'Touchpoint of the channel',
    source String COMMENT 'The way in',
    import_id Nullable(String) COMMENT 'The backfill that brought it',
    kafka_epoch Int64 COMMENT 'Epoch of topic touchpoints',
    kafka_partition Int32 COMMENT 'Partition',
    kafka_offset Int64 COMMENT 'Offset'
)
AS SELECT
    found.customer_id AS customer_id,
    found.event_id AS event_id,
    found.occurred_at AS occurred_at,
    found.received_at AS received_at,
    late.accepted_from AS accepted_from,
    late.reason AS reason,
    found.channel AS channel,
    found.touchpoint AS touchpoint,
    found.source AS source,
    found.import_id AS import_id,
    found.kafka_epoch AS kafka_epoch,
    found.kafka_partition AS kafka_partition,
    found.kafka_offset AS kafka_offset
FROM
(
    SELECT *
    FROM touchpoints
    WHERE (customer_id, event_id) IN (SELECT customer_id, event_id FROM late_log)
) AS found
INNER JOIN (SELECT * FROM late_log FINAL) AS late
    ON late.customer_id = found.customer_id AND late.event_id = found.event_id
    AND late.epoch = found.kafka_epoch AND late.offset = found.kafka_offset
LEFT JOIN (SELECT customer_id, rebuilt FROM customers_log FINAL WHERE isNotNull(rebuilt)) AS taken
    ON taken.customer_id = found.customer_id
WHERE late.revision >= ifNull(taken.rebuilt, -1)
COMMENT 'Touchpoints that came too late to change their journey; touchline rebuild takes them in';
