CREATE TABLE IF NOT EXISTS risk_log /*on_cluster*/
(
    customer_id String COMMENT 'Key of the customer' CODEC(ZSTD(1)),
    revision Int64 COMMENT 'Log position of the touchpoint that changed it, as in journeys' CODEC(ZSTD(1)),
    as_of DateTime64(3, 'UTC') COMMENT 'The moment the score is for, UTC' CODEC(ZSTD(1)),
    score Float64 COMMENT '0 to 100' CODEC(ZSTD(1)),
    level String COMMENT 'low, medium, high, critical or gone' CODEC(ZSTD(1)),
    previous_level Nullable(String) COMMENT 'Level before, null for a new customer' CODEC(ZSTD(1)),
    reasons Array(Tuple(code String, points Float64, text String)) COMMENT 'Why, at most five, the largest first: code, points it adds, the fact in words' CODEC(ZSTD(1)),
    action String COMMENT 'What to do next' CODEC(ZSTD(1)),
    model_version String COMMENT 'Version of the risk model' CODEC(ZSTD(1)),
    event_id UUID COMMENT 'The touchpoint that changed it',
    imported Bool COMMENT 'True: imported history, which never notifies',
    kafka_epoch Int64 COMMENT 'Epoch of the topic: offsets mean something only within one' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition of the topic' CODEC(ZSTD(1)),
    offset_before Int64 EPHEMERAL -1 COMMENT 'Not stored: the offset in front of the body',
    offset_after Int64 EPHEMERAL -2 COMMENT 'Not stored: the offset behind the body',
    kafka_offset Int64 DEFAULT offset_before + throwIf(offset_before != offset_after, 'misaligned block') COMMENT 'Offset within the partition' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree
ORDER BY (customer_id, revision)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Changes of level as they land; until parts merge it holds duplicates: query the view risk';
