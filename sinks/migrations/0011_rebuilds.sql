CREATE TABLE IF NOT EXISTS rebuild_requests /*on_cluster*/
(
    rebuild_id UUID COMMENT 'The command that asked for it',
    customer_id String COMMENT 'Key of the customer to fold anew' CODEC(ZSTD(1)),
    requested_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When, UTC' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree(requested_at)
ORDER BY (rebuild_id, customer_id)
TTL toDateTime(requested_at) + INTERVAL 30 DAY
COMMENT 'Which customers a rebuild is to fold anew; kept for 30 days';

CREATE TABLE IF NOT EXISTS withdrawn_imports_log /*on_cluster*/
(
    import_id String COMMENT 'The backfill',
    withdrawn Bool COMMENT 'True: its touchpoints count no more; false: they count again',
    set_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When, UTC'
)
ENGINE = /*replicated*/ReplacingMergeTree(set_at)
ORDER BY import_id
COMMENT 'Imports that were withdrawn, and those taken back in; the latest row of an import stands';
