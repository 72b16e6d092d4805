-- Plain MergeTree: rows are never merged away, never expire, and deleting data elsewhere does not touch them. A crash
-- between a block and its entry, or two workers at once, can make ranges overlap: readers take the union.
CREATE TABLE IF NOT EXISTS landing_ledger /*on_cluster*/
(
    topic LowCardinality(String) COMMENT 'Topic',
    epoch Int64 COMMENT 'Epoch of the topic: offsets mean something only within one',
    partition Int32 COMMENT 'Partition',
    first_offset Int64 COMMENT 'First offset of the range',
    next_offset Int64 COMMENT 'First offset after the range, which may hold gaps: transaction markers, compaction',
    rows Int64 COMMENT 'Records of the range that landed',
    refused Int64 COMMENT 'Records of the range that became dead letters',
    landed_at DateTime64(3, 'UTC') COMMENT 'When the block was acknowledged, UTC',
    worker LowCardinality(String) COMMENT 'Which worker landed it'
)
ENGINE = /*replicated*/MergeTree
ORDER BY (topic, epoch, partition, first_offset)
COMMENT 'What has landed: the ranges of each inserted block, written after the block was acknowledged';
