SELECT customer_id, profile
FROM customers
WHERE customer_id > {after:String}
ORDER BY customer_id
LIMIT {rows:UInt32}
