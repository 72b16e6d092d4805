-- The links of a person's keys, however they stand, with what was set about them by hand.
SELECT
    anonymous_id,
    customer_id,
    status,
    asserted,
    first_seen_at,
    last_seen_at,
    touchpoints,
    correction.set_at AS corrected_at,
    correction.set_by AS corrected_by,
    correction.comment AS comment
FROM
(
    SELECT *
    FROM identities
    WHERE customer_id IN {keys:Array(String)} OR concat('anon:', anonymous_id) IN {keys:Array(String)}
) AS link
LEFT JOIN
(
    SELECT anonymous_id, customer_id, toNullable(set_at) AS set_at, set_by, comment
    FROM identity_corrections_log FINAL
) AS correction USING (anonymous_id, customer_id)
ORDER BY anonymous_id, customer_id
