-- Compares persons who met a touchpoint with all others. For conversion, those count as having met it who had not converted
-- before they first met it, so that neither a purchase nor what follows one explains itself; the first conversion counts.
-- Leaving is to have left or to be at high or critical risk as of the last touchpoint, of known customers only. Both are
-- associations, not causes: people meet a complaint line because something is wrong already.
-- Priority is in persons: how many conversions are missing among those who met it, were they to convert like the others, and
-- how many more of them are leaving than of the others. So it is high where a touchpoint does harm and many meet it.
-- Works per person, across the devices that active links (identities) stitch. Late touchpoints count. Reads touchpoints,
-- identities and the levels of customers, once each.
CREATE OR REPLACE VIEW touchpoint_priorities /*on_cluster*/
(
    channel String COMMENT 'Channel',
    touchpoint String COMMENT 'Touchpoint of the channel',
    touchpoints UInt64 COMMENT 'How often it was met',
    customers UInt64 COMMENT 'Persons who met it',
    reach Float64 COMMENT 'Of all persons, the share who met it, 0 to 1',
    bad_share Float64 COMMENT 'Of its touchpoints, the share with outcome unresolved, escalated, abandoned or failed or a mood of -0.35 or less, 0 to 1',
    undecided UInt64 COMMENT 'Of customers, those who had not converted when they first met it',
    conversion_rate Nullable(Float64) COMMENT 'Of undecided, the share who converted afterwards, 0 to 1; null when there are none',
    conversion_rate_others Nullable(Float64) COMMENT 'Of all persons but those, the share who converted, 0 to 1; null when there are none',
    conversion_effect Nullable(Float64) COMMENT 'conversion_rate - conversion_rate_others, -1 to 1; null where one of them is',
    leaving_rate Nullable(Float64) COMMENT 'Of known customers who met it, the share who are leaving, 0 to 1; null when none of them is known',
    leaving_rate_others Nullable(Float64) COMMENT 'Of all other known customers, the share who are leaving, 0 to 1; null when there are none',
    leaving_effect Nullable(Float64) COMMENT 'leaving_rate - leaving_rate_others, -1 to 1; null where one of them is',
    priority Float64 COMMENT 'Persons it may cost: undecided * the conversions missing against the others, plus known customers * those leaving in excess of the others; what is better than with the others counts 0'
)
AS SELECT
    channel,
    touchpoint,
    met.touchpoints AS touchpoints,
    met.customers AS customers,
    customers / everyone AS reach,
    bad / touchpoints AS bad_share,
    met.undecided AS undecided,
    if(undecided = 0, NULL, converted_after / undecided) AS conversion_rate,
    if(undecided = everyone, NULL, (all_converted - converted_after) / (everyone - undecided)) AS conversion_rate_others,
    conversion_rate - conversion_rate_others AS conversion_effect,
    if(known = 0, NULL, leaving / known) AS leaving_rate,
    if(all_known = known, NULL, (all_leaving - leaving) / (all_known - known)) AS leaving_rate_others,
    leaving_rate - leaving_rate_others AS leaving_effect,
    undecided * greatest(0, -ifNull(conversion_effect, 0)) + known * greatest(0, ifNull(leaving_effect, 0)) AS priority
FROM
(
    SELECT
        *,
        max(customers) OVER () AS everyone,
        max(converted_after) OVER () AS all_converted,
        max(known) OVER () AS all_known,
        max(leaving) OVER () AS all_leaving
    FROM
    (
        SELECT
            touch.2 AS channel,
            touch.3 AS touchpoint,
            count() AS touchpoints,
            countIf(touch.5) AS bad,
            countIf(first) AS customers,
            countIf(first AND ifNull(converted_at > touch.1, true)) AS undecided,
            countIf(first AND ifNull(converted_at > touch.1, false)) AS converted_after,
            countIf(first AND is_known) AS known,
            countIf(first AND is_known AND is_leaving) AS leaving
        FROM
        (
            SELECT
                ifNull(nullIf(links.person_id, ''), found.key) AS person_id,
                NOT startsWith(person_id, 'anon:') AS is_known,
                max(found.key IN (SELECT customer_id FROM customers WHERE level IN ('high', 'critical', 'gone')))
                    AS is_leaving,
                arraySort(touch -> touch.1, groupArrayArray(found.touches)) AS met,
                if(has(met.4, true), met[indexOf(met.4, true)].1, NULL) AS converted_at
            FROM
            (
                SELECT
                    customer_id AS key,
                    groupArray((
                        occurred_at,
                        channel,
                        touchpoint,
                        ifNull(outcome = 'converted', false),
                        ifNull(
                            outcome IN ('unresolved', 'escalated', 'abandoned', 'failed') OR sentiment <= -0.35, false
                        )
                    )) AS touches
                FROM touchpoints
                GROUP BY customer_id
            ) AS found
            LEFT JOIN (SELECT key, person_id FROM person_links(person = '')) AS links ON links.key = found.key
            GROUP BY person_id
        ) AS person
        -- The empty name is met by everybody before anything else: its row carries the totals, and is not shown.
        ARRAY JOIN
            arrayPushFront(met, (toDateTime64(0, 3, 'UTC'), '', '', false, false)) AS touch,
            arrayMap(i -> i = 1, arrayPushFront(arrayEnumerateUniq(met.2, met.3), 1)) AS first
        GROUP BY channel, touchpoint
    )
) AS met
WHERE channel != ''
ORDER BY priority DESC, channel, touchpoint
COMMENT 'Which touchpoints to improve first: how many meet them, and how these convert and leave compared with the others';
