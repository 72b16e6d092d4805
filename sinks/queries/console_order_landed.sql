SELECT 1 AS landed
FROM alerts
WHERE customer_id = {customer:String} AND alert_id = {order:UUID}
LIMIT 1
