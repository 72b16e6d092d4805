SELECT
    (SELECT count() FROM touchpoints),
    (SELECT count() FROM late_touchpoints),
    (SELECT sum(touchpoints) FROM customers),
    (SELECT count() FROM rejected),
    (SELECT countIf(NOT startsWith(customer_id, 'anon:')) FROM customers),
    (SELECT countIf(startsWith(customer_id, 'anon:')) FROM customers),
    (SELECT count() FROM visits),
    (SELECT count() FROM journeys),
    (SELECT countIf(status = 'raised') FROM alerts)
