-- Which of some customers have more touchpoints in one hour than the memory for duplicates holds.
SELECT customer_id
FROM touchpoints_log FINAL
WHERE customer_id IN {customers:Array(String)}
GROUP BY customer_id
HAVING arrayMax(sumMap([intDiv(toUnixTimestamp64Milli(occurred_at), {hour_ms:Int64})], [toUInt64(1)]).2) > {limit:UInt64}
