-- By table, how many rows a person has who is to be forgotten. Those of a later life of the same keys do not count.
SELECT 'touchpoints_log', count() FROM touchpoints_log
WHERE customer_id IN {keys:Array(String)} AND bitOr(bitShiftLeft(kafka_epoch, 38), kafka_offset) <= transform(customer_id, {keys:Array(String)}, {revisions:Array(Int64)}, toInt64(-1))
UNION ALL
SELECT 'journeys_log', count() FROM journeys_log WHERE customer_id IN {keys:Array(String)} AND revision <= transform(customer_id, {keys:Array(String)}, {revisions:Array(Int64)}, toInt64(-1))
UNION ALL
SELECT 'visits_log', count() FROM visits_log WHERE customer_id IN {keys:Array(String)} AND revision <= transform(customer_id, {keys:Array(String)}, {revisions:Array(Int64)}, toInt64(-1))
UNION ALL
SELECT 'customers_log', count() FROM customers_log WHERE customer_id IN {keys:Array(String)} AND revision <= transform(customer_id, {keys:Array(String)}, {revisions:Array(Int64)}, toInt64(-1))
UNION ALL
SELECT 'risk_log', count() FROM risk_log WHERE customer_id IN {keys:Array(String)} AND revision <= transform(customer_id, {keys:Array(String)}, {revisions:Array(Int64)}, toInt64(-1))
UNION ALL
SELECT 'late_log', count() FROM late_log WHERE customer_id IN {keys:Array(String)} AND revision <= transform(customer_id, {keys:Array(String)}, {revisions:Array(Int64)}, toInt64(-1))
UNION ALL
SELECT 'alerts_log', count() FROM alerts_log WHERE customer_id IN {keys:Array(String)} AND raised_at <= fromUnixTimestamp64Milli({moment:Int64}, 'UTC')
UNION ALL
SELECT 'identity_corrections_log', count() FROM identity_corrections_log
WHERE (customer_id IN {keys:Array(String)} OR concat('anon:', anonymous_id) IN {keys:Array(String)}) AND set_at <= fromUnixTimestamp64Milli({moment:Int64}, 'UTC')
UNION ALL
SELECT 'rebuild_requests', count() FROM rebuild_requests WHERE customer_id IN {keys:Array(String)}
