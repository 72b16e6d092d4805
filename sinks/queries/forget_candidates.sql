-- Dead letters that may speak of a person, in pages: those in which one of the needles stands, or of one of the person's
-- touchpoints; all of them where everything is asked for, since an address stands in them before it is hashed.
SELECT DISTINCT dead_letter_id, ifNull(topic, ''), ifNull(event_id, ''), message, base64Encode(original)
FROM rejected_log
WHERE dead_letter_id > {after:UUID} AND original_length > 0
    AND (
        {everything:Bool}
        OR multiSearchAny(original, {needles:Array(String)})
        OR multiSearchAny(message, {needles:Array(String)})
        OR event_id IN (SELECT toString(event_id) FROM touchpoints_log WHERE customer_id IN {keys:Array(String)}))
ORDER BY dead_letter_id
LIMIT {rows:UInt32}
