CREATE TABLE IF NOT EXISTS replays_log /*on_cluster*/
(
    dead_letter_id UUID COMMENT 'The dead letter',
    replayed_at DateTime64(3, 'UTC') COMMENT 'When Kafka had acknowledged what was sent for it, UTC' CODEC(ZSTD(1)),
    outcome LowCardinality(String) COMMENT 'What became of it: sent' CODEC(ZSTD(1)),
    event_id UUID COMMENT 'Id of the touchpoint that was sent; the same one whenever the same dead letter is replayed' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree(replayed_at)
ORDER BY (dead_letter_id, event_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Dead letters that were sent again after a fix, the latest time of each: the view rejected shows it as replayed_at';
