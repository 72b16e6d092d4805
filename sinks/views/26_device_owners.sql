-- The active links of view identities. The index by_anonymous_id finds the customers, then the primary key finds their
-- touchpoints: an index beside FINAL has to read whatever lies in the same ranges of the key, in all parts.
CREATE OR REPLACE VIEW device_owners /*on_cluster*/
AS SELECT device, standing[1] AS owner
FROM
(
    SELECT
        device,
        groupUniqArrayIf(customer_id, is_parted) AS parted,
        arrayFilter(customer -> NOT has(parted, customer), groupUniqArray(customer_id)) AS standing
    FROM
    (
        SELECT assumeNotNull(anonymous_id) AS device, customer_id, false AS is_parted
        FROM touchpoints_log FINAL
        PREWHERE customer_id IN
        (
            SELECT customer_id
            FROM touchpoints_log
            WHERE assumeNotNull(anonymous_id) IN {devices:Array(String)} AND NOT startsWith(customer_id, 'anon:')
        )
        WHERE anonymous_id IN {devices:Array(String)}
            AND ifNull(import_id, '') NOT IN (SELECT import_id FROM withdrawn_imports_log FINAL WHERE withdrawn)
        UNION ALL
        SELECT anonymous_id, customer_id, NOT linked
        FROM identity_corrections_log FINAL
        WHERE anonymous_id IN {devices:Array(String)}
    )
    GROUP BY device
)
WHERE length(standing) = 1
COMMENT 'Whose these anonymous ids are (owner), where they are exactly one customer''s: device_owners(devices = [...])';
