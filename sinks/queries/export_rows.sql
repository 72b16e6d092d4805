SELECT *
FROM {view:Identifier}
WHERE customer_id IN {keys:Array(String)}
ORDER BY ALL
