-- Customers whose id begins with what somebody typed.
SELECT customer_id, last_seen_at, level, score
FROM customers
WHERE startsWith(customer_id, {start:String})
ORDER BY customer_id
LIMIT {limit:UInt32}
SETTINGS date_time_output_format = 'iso'
