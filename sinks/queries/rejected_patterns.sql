-- How many dead letters there are by reason, field and way in, the most frequent first, and how many of all patterns.
SELECT
    code,
    path,
    source,
    count() AS letters,
    countIf(isNotNull(replayed_at)) AS replayed,
    toUnixTimestamp64Milli(max(rejected_at)) AS latest,
    sum(count()) OVER () AS total
FROM rejected
WHERE ({code:Nullable(String)} IS NULL OR code = {code:Nullable(String)})
    AND ({source:Nullable(String)} IS NULL OR source = {source:Nullable(String)})
    AND ({topic:Nullable(String)} IS NULL OR topic = {topic:Nullable(String)})
    AND ({import_id:Nullable(String)} IS NULL OR import_id = {import_id:Nullable(String)})
    AND ({replayed:Nullable(UInt8)} IS NULL OR isNotNull(replayed_at) = {replayed:Nullable(UInt8)})
    AND toUnixTimestamp64Milli(rejected_at) >= {since:Int64}
    AND toUnixTimestamp64Milli(rejected_at) < {until:Int64}
    AND (empty({ids:Array(UUID)}) OR has({ids:Array(UUID)}, dead_letter_id))
GROUP BY code, path, source
ORDER BY letters DESC, code, path, source
LIMIT {rows:UInt32}
