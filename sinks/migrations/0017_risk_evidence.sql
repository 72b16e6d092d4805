ALTER TABLE risk_log /*on_cluster*/
    ADD COLUMN IF NOT EXISTS evidence Array(Tuple(code String, event_id Nullable(UUID), touchpoint String, occurred_at DateTime64(3, 'UTC'))) COMMENT 'The newest touchpoints that each reason rests on: the code of the reason, the touchpoint, when, UTC' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS channels Array(String) COMMENT 'Channels of what the main reason rests on' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS segment Nullable(String) COMMENT 'The company''s own word for the customer: the latest attribute segment' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS value Nullable(Float64) COMMENT 'Sum of the customer''s values; null without any, or with several currencies' CODEC(ZSTD(1));
