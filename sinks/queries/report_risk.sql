-- Customers by tens of their score and by level; who has left stands at 100.
SELECT
    toUInt8(least(floor(score / 10), 9) * 10) AS from_score,
    level,
    count() AS customers
FROM customers
WHERE NOT startsWith(customer_id, 'anon:')
GROUP BY from_score, level
ORDER BY from_score, indexOf(['low', 'medium', 'high', 'critical', 'gone'], level)
