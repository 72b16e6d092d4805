-- A page of who is at risk, the highest score first; of one level, unless none is named.
SELECT
    customer_id,
    score,
    level,
    since,
    reasons,
    action,
    last_seen_at,
    last_channel,
    alert_id,
    alert_status,
    acknowledged_by,
    snoozed_until
FROM customers_at_risk
WHERE {level:String} = '' OR level = {level:String}
ORDER BY score DESC, customer_id
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
SETTINGS date_time_output_format = 'iso'
