-- How far the customers of one page of a rebuild have been taken in, those of whom nothing is left among them.
SELECT customer_id, assumeNotNull(rebuilt)
FROM customers_log FINAL
WHERE isNotNull(rebuilt) AND customer_id IN
(
    SELECT customer_id
    FROM rebuild_requests
    WHERE rebuild_id = {rebuild_id:UUID} AND customer_id > {after:String} AND customer_id <= {last:String}
)
