SELECT
    customer_id,
    score,
    level,
    since,
    reasons,
    action,
    alert_status,
    acknowledged_by,
    last_seen_at,
    last_channel,
    values
FROM customers_at_risk
LIMIT {rows:UInt32}
