CREATE OR REPLACE VIEW imports /*on_cluster*/
(
    import_id String COMMENT 'The backfill: derived from the content of its file',
    touchpoints UInt64 COMMENT 'Touchpoints it brought that were not there before',
    customers UInt64 COMMENT 'Customers they belong to',
    occurred_from DateTime64(3, 'UTC') COMMENT 'Earliest of them, UTC',
    occurred_to DateTime64(3, 'UTC') COMMENT 'Latest of them, UTC',
    received_at DateTime64(3, 'UTC') COMMENT 'When the first of them was taken in, UTC',
    withdrawn_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was withdrawn, UTC; null: it counts'
)
AS SELECT
    found.import_id AS import_id,
    found.touchpoints AS touchpoints,
    found.customers AS customers,
    found.occurred_from AS occurred_from,
    found.occurred_to AS occurred_to,
    found.received_at AS received_at,
    gone.withdrawn_at AS withdrawn_at
FROM
(
    SELECT
        assumeNotNull(import_id) AS import_id,
        count() AS touchpoints,
        uniqExact(customer_id) AS customers,
        min(occurred_at) AS occurred_from,
        max(occurred_at) AS occurred_to,
        min(touchpoints_log.received_at) AS received_at
    FROM touchpoints_log FINAL
    WHERE isNotNull(touchpoints_log.import_id)
    GROUP BY import_id
) AS found
LEFT JOIN
(
    SELECT import_id, toNullable(set_at) AS withdrawn_at
    FROM withdrawn_imports_log FINAL
    WHERE withdrawn
) AS gone ON gone.import_id = found.import_id
COMMENT 'Every backfill and whether it counts: touchline imports withdraw takes one back as a whole';
