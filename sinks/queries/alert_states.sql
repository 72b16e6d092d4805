SELECT alert_id, customer_id, raised_at, level, score, reasons, action, status, acknowledged_at, acknowledged_by, over_at, delivered_to, given_up
FROM alert_states
WHERE ({customer:String} = '' OR customer_id = {customer:String})
    AND ({status:String} = '' OR status = {status:String})
ORDER BY raised_at DESC, alert_id
LIMIT {limit:UInt32}
