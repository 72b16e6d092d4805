-- What a fold needs of the touchpoints of one page of a rebuild, with their places in the log. Times: UTC milliseconds.
SELECT
    customer_id,
    toString(event_id) AS event_id,
    toUnixTimestamp64Milli(occurred_at) AS occurred_at,
    toUnixTimestamp64Milli(received_at) AS received_at,
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
    wait_ms,
    reference,
    mapFilter((name, _) -> name = 'segment', attributes) AS attributes,
    import_id,
    kafka_epoch,
    kafka_offset
FROM touchpoints AS found
WHERE found.customer_id IN
(
    SELECT customer_id
    FROM rebuild_requests
    WHERE rebuild_id = {rebuild_id:UUID} AND customer_id > {after:String} AND customer_id <= {last:String}
)
ORDER BY found.customer_id
SETTINGS output_format_json_quote_64bit_integers = 0
