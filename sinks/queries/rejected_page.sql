-- Whole dead letters of a page, after one of them and up to another, in the order of the key. What came in may be no text and is in base64.
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
    toUnixTimestamp64Milli(replayed_at) AS replayed_ms,
    base64Encode(original) AS original_base64
FROM rejected
WHERE ({code:Nullable(String)} IS NULL OR code = {code:Nullable(String)})
    AND ({source:Nullable(String)} IS NULL OR source = {source:Nullable(String)})
    AND ({topic:Nullable(String)} IS NULL OR topic = {topic:Nullable(String)})
    AND ({import_id:Nullable(String)} IS NULL OR import_id = {import_id:Nullable(String)})
    AND ({replayed:Nullable(UInt8)} IS NULL OR isNotNull(replayed_at) = {replayed:Nullable(UInt8)})
    AND toUnixTimestamp64Milli(rejected_at) >= {since:Int64}
    AND toUnixTimestamp64Milli(rejected_at) < {until:Int64}
    AND (empty({ids:Array(UUID)}) OR has({ids:Array(UUID)}, dead_letter_id))
    AND dead_letter_id > {after:UUID}
    AND dead_letter_id <= {last:UUID}
ORDER BY dead_letter_id
