CREATE OR REPLACE VIEW identities /*on_cluster*/
(
    anonymous_id String COMMENT 'Device or browser id',
    customer_id String COMMENT 'The customer it turned out to be; one id may have served several',
    first_seen_at DateTime64(3, 'UTC') COMMENT 'First touchpoint that showed both, UTC',
    last_seen_at DateTime64(3, 'UTC') COMMENT 'Last touchpoint that showed both, UTC',
    touchpoints UInt64 COMMENT 'Touchpoints that showed both'
)
AS SELECT
    assumeNotNull(anonymous_id) AS anonymous_id,
    customer_id,
    min(occurred_at) AS first_seen_at,
    max(occurred_at) AS last_seen_at,
    count() AS touchpoints
FROM touchpoints
WHERE isNotNull(touchpoints.anonymous_id) AND NOT startsWith(customer_id, 'anon:')
GROUP BY anonymous_id, customer_id
COMMENT 'Which anonymous ids turned out to be which customer; journeys stay per key, and dropping a link undoes it';
