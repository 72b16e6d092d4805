-- Landing inserts blocks made by schemas/block.py. offset_before and offset_after frame each body and are not stored:
-- where they disagree, a body was too long or too short, and the DEFAULT of kafka_offset refuses the block whole. An
-- INSERT must name them: their own defaults disagree, so that one without a column list is refused too.
-- Every field of the contract has its column here under its own name. No column is LowCardinality: ClickHouse reads
-- Avro into such columns value by value, which made landing three times slower and saved a tenth of the disk.
CREATE TABLE IF NOT EXISTS touchpoints_log /*on_cluster*/
(
    event_id UUID COMMENT 'Identifies the touchpoint; the same id under one customer counts once',
    customer_id String COMMENT 'The customer, or anon:<anonymous_id> while no customer is known' CODEC(ZSTD(1)),
    anonymous_id Nullable(String) COMMENT 'Device or browser id; beside a known customer it records a link' CODEC(ZSTD(1)),
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it happened, UTC' CODEC(ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When the edge took it in, UTC' CODEC(ZSTD(1)),
    channel String COMMENT 'Channel of the catalogue' CODEC(ZSTD(1)),
    touchpoint String COMMENT 'Touchpoint of the channel, or x_... for one outside the catalogue' CODEC(ZSTD(1)),
    stage String COMMENT 'Stage of the journey' CODEC(ZSTD(1)),
    direction String COMMENT 'inbound or outbound' CODEC(ZSTD(1)),
    outcome Nullable(String) COMMENT 'completed, converted, resolved, unresolved, escalated, abandoned, failed or cancelled' CODEC(ZSTD(1)),
    sentiment Nullable(Float64) COMMENT 'Mood of the customer, -1 to 1' CODEC(ZSTD(1)),
    rating_metric Nullable(String) COMMENT 'nps, csat or ces' CODEC(ZSTD(1)),
    rating_score Nullable(Float64) COMMENT 'Score within the range of the metric' CODEC(ZSTD(1)),
    value Nullable(Float64) COMMENT 'Money, in currency' CODEC(ZSTD(1)),
    currency Nullable(String) COMMENT 'ISO 4217 code' CODEC(ZSTD(1)),
    duration_ms Nullable(Int64) COMMENT 'How long it took, milliseconds' CODEC(ZSTD(1)),
    wait_ms Nullable(Int64) COMMENT 'How long the customer waited, milliseconds' CODEC(ZSTD(1)),
    reference Nullable(String) COMMENT 'Order, ticket or thread that ties touchpoints together' CODEC(ZSTD(1)),
    staff_id Nullable(String) COMMENT 'Member of staff' CODEC(ZSTD(1)),
    campaign Nullable(String) COMMENT 'Campaign' CODEC(ZSTD(1)),
    partner Nullable(String) COMMENT 'Partner' CODEC(ZSTD(1)),
    attributes Map(String, String) COMMENT 'Anything else, by name' CODEC(ZSTD(1)),
    source String COMMENT 'The way in: http, emitter, backfill or webhook:<source>' CODEC(ZSTD(1)),
    import_id Nullable(String) COMMENT 'The backfill that brought it' CODEC(ZSTD(1)),
    kafka_epoch Int64 COMMENT 'Epoch of the topic: offsets mean something only within one' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition of the topic' CODEC(ZSTD(1)),
    offset_before Int64 EPHEMERAL -1 COMMENT 'Not stored: the offset in front of the body',
    offset_after Int64 EPHEMERAL -2 COMMENT 'Not stored: the offset behind the body',
    kafka_offset Int64 DEFAULT offset_before + throwIf(offset_before != offset_after, 'misaligned block') COMMENT 'Offset within the partition' CODEC(ZSTD(1)),
    first_wins UInt128 MATERIALIZED bitNot(bitOr(bitShiftLeft(toUInt128(kafka_epoch), 64), toUInt128(kafka_offset))) COMMENT 'Falls as the log grows, so that of several rows of one key the first in the log stays' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree(first_wins)
ORDER BY (customer_id, event_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Touchpoints as they land; until parts merge it holds duplicates: query the view touchpoints';
