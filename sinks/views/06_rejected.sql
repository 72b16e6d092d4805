CREATE OR REPLACE VIEW rejected /*on_cluster*/
(
    dead_letter_id UUID COMMENT 'Derived from where it was found, so that the same refusal has one id',
    event_id Nullable(String) COMMENT 'Id the refused event gave, where it could be read, or would have been given',
    code String COMMENT 'Reason',
    path String COMMENT 'Field the reason is about, dotted; empty for the whole',
    message String COMMENT 'What is wrong and how to mend it',
    source String COMMENT 'The way in, or the agent that refused it',
    topic Nullable(String) COMMENT 'Topic it was read from; null when refused before Kafka',
    epoch Nullable(Int64) COMMENT 'Epoch of that topic',
    partition Nullable(Int32) COMMENT 'Partition it was read from',
    offset Nullable(Int64) COMMENT 'Offset it was read from',
    rejected_at DateTime64(3, 'UTC') COMMENT 'When it was refused, UTC',
    original String COMMENT 'What came in, at most 64 KiB of it',
    original_length Int64 COMMENT 'Whole length in bytes',
    original_sha256 String COMMENT 'SHA-256 of the whole, hexadecimal',
    import_id Nullable(String) COMMENT 'The backfill that brought it',
    line Nullable(Int64) COMMENT 'Line of the backfill, from 1',
    version String COMMENT 'Version of the software that refused it',
    replayed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was last sent again after a fix, UTC; null while not'
)
AS SELECT
    dead_letter_id,
    event_id,
    code,
    path,
    message,
    source,
    topic,
    epoch,
    partition,
    offset,
    rejected_at,
    original,
    original_length,
    original_sha256,
    import_id,
    line,
    version,
    replayed_at
FROM rejected_log FINAL
LEFT JOIN
(
    SELECT dead_letter_id, toNullable(max(replayed_at)) AS replayed_at FROM replays_log GROUP BY dead_letter_id
) AS replays USING (dead_letter_id)
COMMENT 'Dead letters: what was refused, where, why, and what to do';
