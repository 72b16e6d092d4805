ALTER TABLE alerts_log /*on_cluster*/
    ADD COLUMN IF NOT EXISTS previous_level Nullable(String) COMMENT 'Level before the change; of over: that of the alert' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS about Nullable(UUID) COMMENT 'The alert that is over or acknowledged; null in an alert',
    ADD COLUMN IF NOT EXISTS until Nullable(DateTime64(3, 'UTC')) COMMENT 'Of snoozed: nothing is raised before, UTC' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS by Nullable(String) COMMENT 'Who acknowledged or snoozed, as they said' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS channels Array(String) COMMENT 'Channels of what the main reason rests on, where known' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS segment Nullable(String) COMMENT 'Segment of the customer, where known' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS value Nullable(Float64) COMMENT 'Worth of the customer, where known' CODEC(ZSTD(1));
