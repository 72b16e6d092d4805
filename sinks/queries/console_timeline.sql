-- A person's touchpoints, by all their keys, before a place in the order of the newest first; 0 means from the newest on.
SELECT
    customer_id,
    event_id,
    occurred_at,
    toUnixTimestamp64Milli(occurred_at) AS occurred_ms,
    channel,
    touchpoint,
    stage,
    direction,
    outcome,
    sentiment,
    rating_metric,
    rating_score,
    value,
    currency,
    duration_ms,
    wait_ms,
    reference,
    staff_id,
    campaign,
    partner,
    attributes
FROM touchpoints
WHERE customer_id IN {keys:Array(String)}
    AND ({before_ms:Int64} = 0
        OR (occurred_at, event_id) < (fromUnixTimestamp64Milli({before_ms:Int64}, 'UTC'), {before_id:UUID}))
ORDER BY occurred_at DESC, event_id DESC
LIMIT {limit:UInt32}
SETTINGS date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0
