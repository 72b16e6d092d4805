CREATE TABLE IF NOT EXISTS alerts_log /*on_cluster*/
(
    alert_id UUID COMMENT 'Derived from customer, level and moment, so that a replay repeats it',
    customer_id String COMMENT 'Key of the customer' CODEC(ZSTD(1)),
    raised_at DateTime64(3, 'UTC') COMMENT 'The moment of the change of level, UTC' CODEC(ZSTD(1)),
    score Float64 COMMENT '0 to 100' CODEC(ZSTD(1)),
    level String COMMENT 'Level that raised it' CODEC(ZSTD(1)),
    reasons Array(Tuple(code String, points Float64, text String)) COMMENT 'Why, at most five, the largest first: code, points it adds, the fact in words' CODEC(ZSTD(1)),
    action String COMMENT 'What to do next' CODEC(ZSTD(1)),
    model_version String COMMENT 'Version of the risk model' CODEC(ZSTD(1)),
    destination String COMMENT 'Name of the destination; empty for the alert itself' CODEC(ZSTD(1)),
    attempt Int32 COMMENT '0 for the alert itself, then 1, 2, ...',
    status String COMMENT 'raised, delivered, failed or given_up' CODEC(ZSTD(1)),
    error Nullable(String) COMMENT 'Why an attempt failed' CODEC(ZSTD(1)),
    attempted_at DateTime64(3, 'UTC') COMMENT 'When, UTC' CODEC(ZSTD(1)),
    kafka_epoch Int64 COMMENT 'Epoch of the topic: offsets mean something only within one' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition of the topic' CODEC(ZSTD(1)),
    offset_before Int64 EPHEMERAL -1 COMMENT 'Not stored: the offset in front of the body',
    offset_after Int64 EPHEMERAL -2 COMMENT 'Not stored: the offset behind the body',
    kafka_offset Int64 DEFAULT offset_before + throwIf(offset_before != offset_after, 'misaligned block') COMMENT 'Offset within the partition' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree
ORDER BY (alert_id, destination, attempt)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Alerts and attempts to deliver them as they land; until parts merge it holds duplicates: query the view alerts';
