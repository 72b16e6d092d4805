CREATE TABLE IF NOT EXISTS identity_corrections_log /*on_cluster*/
(
    anonymous_id String COMMENT 'Device or browser id',
    customer_id String COMMENT 'The customer the correction is about',
    linked Bool COMMENT 'True: the link is asserted by hand; false: it is taken back, whatever touchpoints say',
    set_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When, UTC, by the clock of ClickHouse',
    set_by String COMMENT 'Who',
    comment String COMMENT 'Why'
)
ENGINE = /*replicated*/ReplacingMergeTree(set_at)
ORDER BY (anonymous_id, customer_id)
COMMENT 'Links between anonymous ids and customers set by hand; the latest of a pair stands: query the view identities';

-- Finds the customers a device was seen with, without reading every touchpoint. The expression is the one that the
-- view identities filters by: the index is used for that one only.
ALTER TABLE touchpoints_log /*on_cluster*/
ADD INDEX IF NOT EXISTS by_anonymous_id assumeNotNull(anonymous_id) TYPE bloom_filter(0.001) GRANULARITY 1;

-- For what had landed before; it runs in the background, and until it ends such parts are read as if without an index.
ALTER TABLE touchpoints_log /*on_cluster*/
MATERIALIZE INDEX IF EXISTS by_anonymous_id;
