CREATE TABLE IF NOT EXISTS customers_log /*on_cluster*/
(
    customer_id String COMMENT 'Key of the customer' CODEC(ZSTD(1)),
    revision Int64 COMMENT 'Grows with every change of the customer; the highest stands' CODEC(ZSTD(1)),
    first_seen_at DateTime64(3, 'UTC') COMMENT 'First touchpoint, UTC' CODEC(ZSTD(1)),
    last_seen_at DateTime64(3, 'UTC') COMMENT 'Last touchpoint, UTC' CODEC(ZSTD(1)),
    last_inbound_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last inbound touchpoint, UTC' CODEC(ZSTD(1)),
    touchpoints Int64 COMMENT 'Touchpoints, both directions' CODEC(ZSTD(1)),
    inbound Int64 COMMENT 'Inbound touchpoints' CODEC(ZSTD(1)),
    visits Int64 COMMENT 'Visits' CODEC(ZSTD(1)),
    journeys Int64 COMMENT 'Journeys' CODEC(ZSTD(1)),
    last_channel String COMMENT 'Channel of the last touchpoint' CODEC(ZSTD(1)),
    purchases Int64 COMMENT 'Purchases and renewals' CODEC(ZSTD(1)),
    values Map(String, Float64) COMMENT 'Sum of values by currency' CODEC(ZSTD(1)),
    sentiment_avg Nullable(Float64) COMMENT 'Mean sentiment of the touchpoints that have one' CODEC(ZSTD(1)),
    nps Nullable(Float64) COMMENT 'Latest NPS answer, 0 to 10' CODEC(ZSTD(1)),
    csat Nullable(Float64) COMMENT 'Latest CSAT answer, 1 to 5' CODEC(ZSTD(1)),
    ces Nullable(Float64) COMMENT 'Latest CES answer, 1 to 7' CODEC(ZSTD(1)),
    score Float64 COMMENT 'Risk of leaving, 0 to 100, at scored_at' CODEC(ZSTD(1)),
    level String COMMENT 'low, medium, high, critical or gone' CODEC(ZSTD(1)),
    reasons Array(Tuple(code String, points Float64, text String)) COMMENT 'Why, at most five, the largest first: code, points it adds, the fact in words' CODEC(ZSTD(1)),
    action String COMMENT 'What to do next' CODEC(ZSTD(1)),
    model_version String COMMENT 'Version of the risk model' CODEC(ZSTD(1)),
    scored_at DateTime64(3, 'UTC') COMMENT 'The moment the score is for, UTC' CODEC(ZSTD(1)),
    profile String COMMENT 'The whole profile as JSON, from which any score can be computed again' CODEC(ZSTD(3)),
    kafka_epoch Int64 COMMENT 'Epoch of the topic: offsets mean something only within one' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition of the topic' CODEC(ZSTD(1)),
    offset_before Int64 EPHEMERAL -1 COMMENT 'Not stored: the offset in front of the body',
    offset_after Int64 EPHEMERAL -2 COMMENT 'Not stored: the offset behind the body',
    kafka_offset Int64 DEFAULT offset_before + throwIf(offset_before != offset_after, 'misaligned block') COMMENT 'Offset within the partition' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree(revision)
ORDER BY customer_id
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Revisions of customers as they land: query the view customers';
