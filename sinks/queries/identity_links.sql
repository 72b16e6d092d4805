-- The links of one anonymous id, of one customer, or all (null). The customer's anonymous ids are looked up first. A link
-- shows which other customers stand beside it, and what was last set by hand.
SELECT
    anonymous_id,
    customer_id,
    status,
    asserted,
    touchpoints,
    first_seen_at,
    last_seen_at,
    arraySort(arrayFilter(other -> other != customer_id, standing)) AS shared_with,
    correction.set_at AS corrected_at,
    correction.set_by AS corrected_by,
    correction.comment AS comment
FROM
(
    SELECT *, groupArrayIf(customer_id, status != 'taken_back') OVER (PARTITION BY anonymous_id) AS standing
    FROM identities
    WHERE ({anonymous_id:Nullable(String)} IS NULL OR anonymous_id = {anonymous_id:Nullable(String)})
        AND ({customer_id:Nullable(String)} IS NULL OR anonymous_id IN
        (
            SELECT assumeNotNull(anonymous_id)
            FROM touchpoints
            WHERE customer_id = {customer_id:Nullable(String)} AND isNotNull(touchpoints.anonymous_id)
            UNION ALL
            SELECT anonymous_id
            FROM identity_corrections_log
            WHERE customer_id = {customer_id:Nullable(String)}
        ))
) AS link
LEFT JOIN
(
    SELECT anonymous_id, customer_id, toNullable(set_at) AS set_at, set_by, comment
    FROM identity_corrections_log FINAL
) AS correction USING (anonymous_id, customer_id)
WHERE ({customer_id:Nullable(String)} IS NULL OR customer_id = {customer_id:Nullable(String)})
    AND (NOT {ambiguous:Bool} OR status = 'ambiguous')
ORDER BY anonymous_id, customer_id
SETTINGS join_use_nulls = 0
