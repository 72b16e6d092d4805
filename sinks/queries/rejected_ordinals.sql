-- Of the refused lines of imports among the dead letters of a page: how many identical lines stand before each in its
-- file. Identical lines are all refused alike, so all are here; what they share is the id that the first of them would
-- have been given, or their bytes. Filters have no say: a line's ordinal does not depend on what else is replayed. A
-- letter that landed twice is taken once, without FINAL, which would read the whole table for each page.
SELECT dead_letter_id, ordinal
FROM
(
    SELECT
        dead_letter_id,
        toInt64(row_number() OVER (PARTITION BY import_id, content ORDER BY line, dead_letter_id)) - 1 AS ordinal
    FROM
    (
        SELECT dead_letter_id, import_id, line, ifNull(event_id, original_sha256) AS content
        FROM rejected_log
        WHERE isNull(topic) AND isNotNull(import_id) AND content IN
        (
            SELECT ifNull(event_id, original_sha256)
            FROM rejected_log
            WHERE isNull(topic) AND isNotNull(import_id)
                AND dead_letter_id > {after:UUID} AND dead_letter_id <= {last:UUID}
        )
        LIMIT 1 BY dead_letter_id
    )
)
WHERE dead_letter_id > {after:UUID} AND dead_letter_id <= {last:UUID}
