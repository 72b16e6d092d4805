-- The commands that were to forget any of these keys and have not ended, with all of their keys.
SELECT forget_id, customer_id
FROM forget_requests
WHERE forget_id IN (SELECT forget_id FROM forget_requests WHERE customer_id IN {keys:Array(String)})
ORDER BY ALL
