-- The figures of the console's overview, each as its view has it. today begins at midnight, UTC.
SELECT *
FROM
(
    SELECT
        count() AS touchpoints,
        countIf(received_at >= toStartOfDay(now('UTC'))) AS touchpoints_today,
        if(touchpoints = 0, NULL, max(received_at)) AS newest_received_at
    FROM touchpoints
) AS of_touchpoints
CROSS JOIN
(
    SELECT
        countIf(NOT startsWith(customer_id, 'anon:')) AS customers,
        countIf(startsWith(customer_id, 'anon:')) AS visitors
    FROM customers
) AS of_customers
CROSS JOIN (SELECT countIf(is_open) AS open_journeys, count() AS journeys FROM journeys) AS of_journeys
CROSS JOIN
(
    SELECT
        countIf(level = 'critical') AS critical,
        countIf(level = 'high') AS high,
        countIf(level = 'medium') AS medium
    FROM customers_at_risk
) AS of_risk
CROSS JOIN (SELECT countIf(status = 'open') AS alerts_open FROM alert_states) AS of_alerts
CROSS JOIN
(
    SELECT count() AS dead_letters, countIf(isNull(replayed_at)) AS dead_letters_waiting FROM rejected
) AS of_rejected
SETTINGS date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0
