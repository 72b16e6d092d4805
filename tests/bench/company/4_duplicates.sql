-- One touchpoint in a hundred comes again, an hour later.
INSERT INTO touchpoints_log
(
    event_id, customer_id, anonymous_id, occurred_at, received_at, channel, touchpoint, stage, direction, outcome,
    sentiment, rating_metric, rating_score, value, currency, duration_ms, wait_ms, reference, staff_id, campaign, partner,
    attributes, source, import_id, kafka_epoch, kafka_partition, kafka_offset
)
SELECT
    event_id, customer_id, anonymous_id, occurred_at, received_at + toIntervalHour(1), channel, touchpoint, stage, direction,
    outcome, sentiment, rating_metric, rating_score, value, currency, duration_ms, wait_ms, reference, staff_id, campaign,
    partner, attributes, source, import_id, kafka_epoch, kafka_partition, kafka_offset + 3600000 * 4096
FROM touchpoints_log
WHERE sipHash64(event_id) % 100 = 0;
