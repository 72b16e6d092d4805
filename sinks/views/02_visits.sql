CREATE OR REPLACE VIEW visits /*on_cluster*/
(
    customer_id String COMMENT 'Key of the customer',
    visit_id UUID COMMENT 'UUIDv5 of customer and first touchpoint',
    journey_id UUID COMMENT 'The journey it belongs to',
    started_at DateTime64(3, 'UTC') COMMENT 'First inbound touchpoint, UTC',
    ended_at DateTime64(3, 'UTC') COMMENT 'Last inbound touchpoint so far, UTC',
    touchpoints Int32 COMMENT 'Inbound touchpoints'
)
AS SELECT
    customer_id,
    visit_id,
    journey_id,
    started_at,
    ended_at,
    touchpoints
FROM visits_log FINAL
WHERE NOT withdrawn
COMMENT 'Visits: inbound touchpoints of one customer with no gap over 30 minutes (TOUCHLINE_VISIT_GAP_MINUTES)';
