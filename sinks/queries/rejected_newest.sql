-- Dead letters without what came in, the newest first. Times are UTC milliseconds.
SELECT
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
    toUnixTimestamp64Milli(rejected_at) AS rejected_ms,
    original_length,
    original_sha256,
    import_id,
    line,
    version,
    toUnixTimestamp64Milli(replayed_at) AS replayed_ms
FROM rejected
WHERE ({code:Nullable(String)} IS NULL OR code = {code:Nullable(String)})
    AND ({source:Nullable(String)} IS NULL OR source = {source:Nullable(String)})
    AND ({topic:Nullable(String)} IS NULL OR topic = {topic:Nullable(String)})
    AND ({import_id:Nullable(String)} IS NULL OR import_id = {import_id:Nullable(String)})
    AND ({replayed:Nullable(UInt8)} IS NULL OR isNotNull(replayed_at) = {replayed:Nullable(UInt8)})
    AND toUnixTimestamp64Milli(rejected_at) >= {since:Int64}
    AND toUnixTimestamp64Milli(rejected_at) < {until:Int64}
    AND (empty({ids:Array(UUID)}) OR has({ids:Array(UUID)}, dead_letter_id))
ORDER BY rejected_at DESC, line DESC, dead_letter_id
LIMIT {rows:UInt32}
