CREATE TABLE IF NOT EXISTS rejected_log /*on_cluster*/
(
    dead_letter_id UUID COMMENT 'Derived from where it was found, so that the same refusal has one id',
    event_id Nullable(String) COMMENT 'Id the refused event gave, where it could be read' CODEC(ZSTD(1)),
    code String COMMENT 'Reason' CODEC(ZSTD(1)),
    path String COMMENT 'Field the reason is about, dotted; empty for the whole' CODEC(ZSTD(1)),
    message String COMMENT 'What is wrong and how to mend it' CODEC(ZSTD(1)),
    source String COMMENT 'The way in, or the agent that refused it' CODEC(ZSTD(1)),
    topic Nullable(String) COMMENT 'Topic it was read from; null when refused before Kafka' CODEC(ZSTD(1)),
    epoch Nullable(Int64) COMMENT 'Epoch of that topic' CODEC(ZSTD(1)),
    partition Nullable(Int32) COMMENT 'Partition it was read from' CODEC(ZSTD(1)),
    offset Nullable(Int64) COMMENT 'Offset it was read from' CODEC(ZSTD(1)),
    rejected_at DateTime64(3, 'UTC') COMMENT 'When it was refused, UTC' CODEC(ZSTD(1)),
    original String COMMENT 'What came in, at most 64 KiB of it' CODEC(ZSTD(3)),
    original_length Int64 COMMENT 'Whole length in bytes' CODEC(ZSTD(1)),
    original_sha256 String COMMENT 'SHA-256 of the whole, hexadecimal' CODEC(ZSTD(1)),
    import_id Nullable(String) COMMENT 'The backfill that brought it' CODEC(ZSTD(1)),
    line Nullable(Int64) COMMENT 'Line of the backfill, from 1' CODEC(ZSTD(1)),
    version String COMMENT 'Version of the software that refused it' CODEC(ZSTD(1)),
    kafka_epoch Int64 COMMENT 'Epoch of topic rejected: offsets mean something only within one' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition of topic rejected' CODEC(ZSTD(1)),
    offset_before Int64 EPHEMERAL -1 COMMENT 'Not stored: the offset in front of the body',
    offset_after Int64 EPHEMERAL -2 COMMENT 'Not stored: the offset behind the body',
    kafka_offset Int64 DEFAULT offset_before + throwIf(offset_before != offset_after, 'misaligned block') COMMENT 'Offset within the partition' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree
ORDER BY dead_letter_id
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Dead letters as they land; until parts merge it holds duplicates: query the view rejected';
