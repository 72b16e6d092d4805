CREATE TABLE IF NOT EXISTS late_log /*on_cluster*/
(
    customer_id String COMMENT 'Key of the customer' CODEC(ZSTD(1)),
    event_id UUID COMMENT 'The touchpoint',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC' CODEC(ZSTD(1)),
    accepted_from DateTime64(3, 'UTC') COMMENT 'What happened before this moment came too late when it was its turn, UTC' CODEC(ZSTD(1)),
    reason LowCardinality(String) COMMENT 'history: older than the history; limit: older than what is remembered of this customer',
    revision Int64 COMMENT 'Position of the touchpoint in its log, numbered as revisions are' CODEC(ZSTD(1)),
    epoch Int64 COMMENT 'Epoch of topic touchpoints' CODEC(ZSTD(1)),
    offset Int64 COMMENT 'Offset of the touchpoint within its partition' CODEC(ZSTD(1)),
    import_id Nullable(String) COMMENT 'The backfill that brought it' CODEC(ZSTD(1)),
    kafka_epoch Int64 COMMENT 'Epoch of topic late: offsets mean something only within one' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition of topic late' CODEC(ZSTD(1)),
    offset_before Int64 EPHEMERAL -1 COMMENT 'Not stored: the offset in front of the body',
    offset_after Int64 EPHEMERAL -2 COMMENT 'Not stored: the offset behind the body',
    kafka_offset Int64 DEFAULT offset_before + throwIf(offset_before != offset_after, 'misaligned block') COMMENT 'Offset within the partition' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree
ORDER BY (customer_id, event_id, revision)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Touchpoints that came too late to change their journey, as they land: query the view late_touchpoints';

ALTER TABLE customers_log /*on_cluster*/
    ADD COLUMN IF NOT EXISTS limited_from Nullable(DateTime64(3, 'UTC')) COMMENT 'Null while all of the history is remembered; else touchpoints before it, UTC, come too late' CODEC(ZSTD(1)) AFTER profile,
    ADD COLUMN IF NOT EXISTS rebuilt Nullable(Int64) COMMENT 'Revision of the last rebuild: all that stood before it in the log has been taken in' CODEC(ZSTD(1)) AFTER limited_from;
