-- A link is seen (a touchpoint showed both ids) or asserted by hand, and stands until it is taken back by hand; a later
-- correction of a pair beats an earlier one, and touchpoints that come after a correction change nothing.
-- An anonymous id with exactly one standing link is that customer's: active. With several it is a shared device:
-- ambiguous, and nobody's until all but one are taken back, since a wrong merge must never happen by itself. Asserting a
-- link does not settle that: it adds one. Nothing is rewritten, so taking a link back undoes all that it did.
-- A filter by anonymous_id is found through the index by_anonymous_id. One by customer_id alone reads every link, because
-- other customers decide about the status: look up the customer's anonymous ids first, as person_links does.
CREATE OR REPLACE VIEW identities /*on_cluster*/
(
    anonymous_id String COMMENT 'Device or browser id',
    customer_id String COMMENT 'The customer it turned out to be; one id may have served several',
    status String COMMENT 'active: stitched; ambiguous: stands beside another, not stitched; taken_back: by hand',
    asserted Bool COMMENT 'True: asserted by hand, be it seen in touchpoints or not',
    first_seen_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First touchpoint that showed both, UTC; null when none did',
    last_seen_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last touchpoint that showed both, UTC; null when none did',
    touchpoints UInt64 COMMENT 'Touchpoints that showed both'
)
AS SELECT
    anonymous_id,
    customer_id,
    multiIf(taken_back, 'taken_back', standing > 1, 'ambiguous', 'active') AS status,
    asserted,
    first_seen_at,
    last_seen_at,
    touchpoints
FROM
(
    SELECT *, countIf(NOT taken_back) OVER (PARTITION BY anonymous_id) AS standing
    FROM
    (
        SELECT
            anonymous_id,
            customer_id,
            max(correction = 'asserted') AS asserted,
            max(correction = 'taken_back') AS taken_back,
            min(seen_at) AS first_seen_at,
            max(seen_at) AS last_seen_at,
            count(seen_at) AS touchpoints
        FROM
        (
            SELECT
                assumeNotNull(anonymous_id) AS anonymous_id,
                customer_id,
                toNullable(occurred_at) AS seen_at,
                '' AS correction
            FROM touchpoints
            WHERE isNotNull(touchpoints.anonymous_id) AND NOT startsWith(customer_id, 'anon:')
            UNION ALL
            SELECT anonymous_id, customer_id, NULL, if(linked, 'asserted', 'taken_back')
            FROM identity_corrections_log FINAL
        )
        GROUP BY anonymous_id, customer_id
    )
) AS link
COMMENT 'Which anonymous ids turned out to be which customer, and whether that is trusted; taking a link back undoes it';
