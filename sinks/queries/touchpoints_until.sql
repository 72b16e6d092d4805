-- What a profile is made of, for whole customers, each in order of time. Times are UTC milliseconds. What the customers
-- agent would refuse (a time before 1970, or over 24 hours ahead) is left out.
SELECT
    customer_id,
    replaceAll(toString(event_id), '-', '') AS id,
    toUnixTimestamp64Milli(occurred_at) AS moment,
    channel,
    touchpoint,
    direction,
    outcome,
    sentiment,
    rating_metric,
    rating_score,
    value,
    currency,
    wait_ms,
    reference
FROM touchpoints
WHERE customer_id > {after:String}
    AND ({last:Nullable(String)} IS NULL OR customer_id <= {last:Nullable(String)})
    AND ({customer:Nullable(String)} IS NULL OR customer_id = {customer:Nullable(String)})
    AND occurred_at <= fromUnixTimestamp64Milli({until:Int64}, 'UTC')
    AND occurred_at >= toDateTime64(0, 3, 'UTC')
    AND occurred_at <= received_at + toIntervalHour(24)
ORDER BY customer_id, occurred_at, event_id
SETTINGS output_format_json_quote_64bit_integers = 0
