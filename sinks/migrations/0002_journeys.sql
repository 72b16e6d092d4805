CREATE TABLE IF NOT EXISTS journeys_log /*on_cluster*/
(
    customer_id String COMMENT 'Key of the customer' CODEC(ZSTD(1)),
    journey_id UUID COMMENT 'UUIDv5 of customer and first touchpoint',
    revision Int64 COMMENT 'Grows with every change of the customer; the highest of a journey stands' CODEC(ZSTD(1)),
    withdrawn Bool COMMENT 'True: the journey was absorbed or renamed, and the other columns say nothing',
    started_at DateTime64(3, 'UTC') COMMENT 'First inbound touchpoint, UTC' CODEC(ZSTD(1)),
    ended_at DateTime64(3, 'UTC') COMMENT 'Last inbound touchpoint so far, UTC' CODEC(ZSTD(1)),
    visits Int32 COMMENT 'Visits' CODEC(ZSTD(1)),
    touchpoints Int32 COMMENT 'Inbound touchpoints' CODEC(ZSTD(1)),
    channels Array(String) COMMENT 'Channels used, sorted' CODEC(ZSTD(1)),
    stages Array(String) COMMENT 'Stages reached, sorted' CODEC(ZSTD(1)),
    path Array(String) COMMENT 'channel.touchpoint of the first touchpoints in order of time' CODEC(ZSTD(1)),
    first_channel String COMMENT 'Channel of the first touchpoint' CODEC(ZSTD(1)),
    last_channel String COMMENT 'Channel of the last touchpoint' CODEC(ZSTD(1)),
    converted_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First touchpoint with outcome converted, UTC' CODEC(ZSTD(1)),
    value Nullable(Float64) COMMENT 'Sum of values where all are in one currency, else null' CODEC(ZSTD(1)),
    currency Nullable(String) COMMENT 'That currency' CODEC(ZSTD(1)),
    values Map(String, Float64) COMMENT 'Sum of values by currency' CODEC(ZSTD(1)),
    sentiment_avg Nullable(Float64) COMMENT 'Mean sentiment of the touchpoints that have one' CODEC(ZSTD(1)),
    sentiment_min Nullable(Float64) COMMENT 'Lowest sentiment' CODEC(ZSTD(1)),
    escalations Int32 COMMENT 'Touchpoints with outcome escalated' CODEC(ZSTD(1)),
    unresolved Int32 COMMENT 'Touchpoints with outcome unresolved' CODEC(ZSTD(1)),
    truncated Bool COMMENT 'True: path holds only the first touchpoints',
    changed_visits Array(Tuple(visit_id UUID, started_at DateTime64(3, 'UTC'), ended_at DateTime64(3, 'UTC'), touchpoints Int32, withdrawn Bool)) COMMENT 'Visits of this journey that this revision changed; visits_log is fed from it' CODEC(ZSTD(1)),
    kafka_epoch Int64 COMMENT 'Epoch of the topic: offsets mean something only within one' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition of the topic' CODEC(ZSTD(1)),
    offset_before Int64 EPHEMERAL -1 COMMENT 'Not stored: the offset in front of the body',
    offset_after Int64 EPHEMERAL -2 COMMENT 'Not stored: the offset behind the body',
    kafka_offset Int64 DEFAULT offset_before + throwIf(offset_before != offset_after, 'misaligned block') COMMENT 'Offset within the partition' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree(revision)
ORDER BY (customer_id, journey_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Revisions of journeys as they land, withdrawn ones among them: query the view journeys';
