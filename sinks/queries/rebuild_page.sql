-- The next customers of a rebuild in the order of their ids, each with the number of its touchpoints, about.
SELECT customer_id, count()
FROM touchpoints_log
WHERE customer_id > {after:String} AND customer_id IN
(
    SELECT customer_id
    FROM rebuild_requests
    WHERE rebuild_id = {rebuild_id:UUID} AND customer_id > {after:String}
)
GROUP BY customer_id
ORDER BY customer_id
LIMIT {customers:UInt32}
SETTINGS optimize_aggregation_in_order = 1
