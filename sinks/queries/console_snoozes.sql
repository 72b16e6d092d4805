-- Which of some customers are snoozed now: nothing is raised for them before `until`.
SELECT
    customer_id,
    argMax(until, attempted_at) AS until,
    argMax(by, attempted_at) AS by
FROM alerts
WHERE status = 'snoozed' AND customer_id IN {customers:Array(String)}
GROUP BY customer_id
HAVING argMax(alerts.until, attempted_at) > now64(3)
SETTINGS date_time_output_format = 'iso'
