-- Per customer_id, from view customers: what somebody did under an anonymous id before is not theirs here. Money of
-- several currencies is never added: a customer's value stands among those who paid in the same currency, and for who
-- paid in several the best of these counts. A fifth of x: one more than the fifths of the population that have less
-- or the same as its lowest member; so equals are always in one fifth, and 0 stands for none at all. Bounds are those
-- of everybody, taken at the moment of the query. Engagement is measured up to the newest touchpoint of anybody, not
-- up to now, so that the same data always gives the same answer.
CREATE OR REPLACE VIEW segments /*on_cluster*/
(
    customer_id String COMMENT 'The customer',
    segment String COMMENT 'gone; prospect: never bought; champion: recent, often, much; loyal; new: one recent purchase; promising: recent, little; cannot_lose: often and much, not seen lately; slipping; hibernating',
    recency UInt8 COMMENT 'Fifth by last inbound touchpoint, 5 the most recent; 0: none ever',
    frequency UInt8 COMMENT 'Fifth by purchases among who bought, 5 the most; 0: never bought',
    monetary UInt8 COMMENT 'Fifth by value among who paid in that currency, 5 the most; 0: never paid',
    engagement UInt8 COMMENT 'Fifth by visits per 30 days, 5 the most; 0: no visit',
    last_inbound_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last inbound touchpoint, UTC; null: none',
    customer_days Float64 COMMENT 'Days from the first touchpoint to the newest of anybody',
    purchases Int64 COMMENT 'Purchases and renewals that were not broken off',
    values Map(String, Float64) COMMENT 'Lifetime value by currency: what was paid, less what was paid back',
    visits Int64 COMMENT 'Visits',
    visits_per_month Float64 COMMENT 'Visits per 30 days since the first touchpoint; of the first 30 days, all of them',
    level String COMMENT 'Risk of leaving: low, medium, high, critical or gone'
)
AS WITH
    sorted -> arrayMap(fifth -> sorted[intDiv(fifth * length(sorted) + 4, 5)], [1, 2, 3, 4]) AS bounds_of,
    (x, bounds) -> toUInt8(1 + arrayCount(bound -> x > bound, bounds)) AS fifth_of,
    (first_seen, until) -> greatest(dateDiff('second', first_seen, until), 0) / 86400 AS days_of,
    (count, days) -> count * 30 / greatest(days, 30) AS monthly,
    (SELECT max(last_seen_at) FROM customers WHERE NOT startsWith(customer_id, 'anon:')) AS newest_at,
    (
        SELECT (
            bounds_of(arraySort(groupArrayIf(assumeNotNull(last_inbound_at), isNotNull(last_inbound_at)))),
            bounds_of(arraySort(groupArrayIf(purchases, purchases > 0))),
            mapApply(
                (name, paid) -> (name, bounds_of(arraySort(paid))),
                groupArrayMap(mapFilter((name, paid) -> paid > 0, values))
            ),
            bounds_of(arraySort(groupArrayIf(
                monthly(visits, days_of(first_seen_at, assumeNotNull(newest_at))),
                visits > 0
            )))
        )
        FROM customers
        WHERE NOT startsWith(customer_id, 'anon:')
    ) AS bounds
SELECT
    customer_id,
    multiIf(
        level = 'gone', 'gone',
        purchases = 0, 'prospect',
        frequency + monetary >= 8 AND recency >= 4, 'champion',
        frequency + monetary >= 8 AND recency <= 2, 'cannot_lose',
        frequency + monetary >= 6 AND recency >= 3, 'loyal',
        purchases = 1 AND recency >= 4, 'new',
        recency >= 3, 'promising',
        frequency + monetary >= 6, 'slipping',
        'hibernating'
    ) AS segment,
    if(isNull(last_inbound_at), 0, fifth_of(assumeNotNull(last_inbound_at), bounds.1)) AS recency,
    if(purchases > 0, fifth_of(purchases, bounds.2), 0) AS frequency,
    arrayMax(arrayPushBack(
        arrayMap((name, paid) -> fifth_of(paid, bounds.3[name]), mapKeys(paid_in), mapValues(paid_in)),
        0
    )) AS monetary,
    if(visits > 0, fifth_of(visits_per_month, bounds.4), 0) AS engagement,
    last_inbound_at,
    days_of(first_seen_at, assumeNotNull(newest_at)) AS customer_days,
    purchases,
    values,
    visits,
    monthly(visits, customer_days) AS visits_per_month,
    level
FROM
(
    SELECT
        customer_id,
        level,
        first_seen_at,
        last_inbound_at,
        purchases,
        values,
        visits,
        mapFilter((name, paid) -> paid > 0, values) AS paid_in
    FROM customers
    WHERE NOT startsWith(customer_id, 'anon:')
) AS known
COMMENT 'Who is the most engaged and the most valuable: recency, frequency, value, lifetime value and a named segment';
