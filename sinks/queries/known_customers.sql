-- Which of some customers have touchpoints; withdrawn ones count too.
SELECT DISTINCT customer_id
FROM touchpoints_log
WHERE customer_id IN {customers:Array(String)}
