SELECT DISTINCT customer_id
FROM alerts
WHERE alert_id = {alert:UUID} AND status = 'raised'
