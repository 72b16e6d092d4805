SELECT 'customers' AS what, level, toInt64(count()) AS number
FROM customers
WHERE NOT startsWith(customer_id, 'anon:')
GROUP BY level
UNION ALL
SELECT 'journeys' AS what, '' AS level, toInt64(countIf(is_open)) AS number
FROM journeys
