-- What is still to be done about some customers: the newest alert of each that is not over.
SELECT customer_id, alert_id, level, raised_at, status, acknowledged_at, acknowledged_by
FROM alert_states
WHERE customer_id IN {customers:Array(String)} AND status IN ('open', 'acknowledged')
SETTINGS date_time_output_format = 'iso'
