SELECT profile
FROM customers
WHERE customer_id = {customer:String}
