-- The last dead letter of a page of about that many: read in the order of the key, without FINAL and without what came in,
-- so that it costs no more than the page. No row: what is left is the last page.
SELECT dead_letter_id
FROM rejected_log
WHERE ({code:Nullable(String)} IS NULL OR code = {code:Nullable(String)})
    AND ({source:Nullable(String)} IS NULL OR source = {source:Nullable(String)})
    AND ({topic:Nullable(String)} IS NULL OR topic = {topic:Nullable(String)})
    AND ({import_id:Nullable(String)} IS NULL OR import_id = {import_id:Nullable(String)})
    AND ({replayed:Nullable(UInt8)} IS NULL OR {replayed:Nullable(UInt8)} =
        (dead_letter_id IN (SELECT dead_letter_id FROM replays_log WHERE dead_letter_id > {after:UUID})))
    AND toUnixTimestamp64Milli(rejected_at) >= {since:Int64}
    AND toUnixTimestamp64Milli(rejected_at) < {until:Int64}
    AND (empty({ids:Array(UUID)}) OR has({ids:Array(UUID)}, dead_letter_id))
    AND dead_letter_id > {after:UUID}
ORDER BY dead_letter_id
LIMIT 1 OFFSET {rows:UInt32}
