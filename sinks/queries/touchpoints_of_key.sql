SELECT count()
FROM touchpoints
WHERE customer_id = {customer_id:String}
