-- The totals of a report. Open alerts: raised, and neither over nor followed by another.
SELECT
    touches.touchpoints AS touchpoints,
    touches.first_at AS first_at,
    touches.last_at AS last_at,
    people.customers AS customers,
    people.visitors AS visitors,
    people.medium AS medium,
    people.high AS high,
    people.critical AS critical,
    people.gone AS gone,
    paths.visits AS visits,
    paths.journeys AS journeys,
    paths.open AS open,
    paths.converted AS converted,
    letters.rejected AS rejected,
    raised.alerts AS alerts
FROM
(
    SELECT count() AS touchpoints, minOrNull(occurred_at) AS first_at, maxOrNull(occurred_at) AS last_at
    FROM touchpoints
) AS touches
CROSS JOIN
(
    SELECT
        countIf(NOT startsWith(customer_id, 'anon:')) AS customers,
        countIf(startsWith(customer_id, 'anon:')) AS visitors,
        countIf(level = 'medium' AND NOT startsWith(customer_id, 'anon:')) AS medium,
        countIf(level = 'high' AND NOT startsWith(customer_id, 'anon:')) AS high,
        countIf(level = 'critical' AND NOT startsWith(customer_id, 'anon:')) AS critical,
        countIf(level = 'gone' AND NOT startsWith(customer_id, 'anon:')) AS gone
    FROM customers
) AS people
CROSS JOIN
(
    SELECT
        count() AS journeys,
        sum(toUInt64(visits)) AS visits,
        countIf(is_open) AS open,
        countIf(isNotNull(converted_at)) AS converted
    FROM journeys
) AS paths
CROSS JOIN (SELECT count() AS rejected FROM rejected) AS letters
CROSS JOIN (SELECT countIf(status IN ('open', 'acknowledged')) AS alerts FROM alert_states) AS raised
