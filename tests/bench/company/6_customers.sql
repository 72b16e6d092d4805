-- The profile column is as long as a real one (about 600 bytes), and says nothing.
INSERT INTO customers_log
(
    customer_id, revision, first_seen_at, last_seen_at, last_inbound_at, touchpoints, inbound, visits, journeys, last_channel,
    purchases, values, sentiment_avg, nps, csat, ces, score, level, reasons, action, model_version, scored_at, profile,
    kafka_epoch, kafka_partition, kafka_offset
)
SELECT
    customer_id,
    max(kafka_offset) AS revision,
    min(occurred_at),
    max(occurred_at) AS last,
    maxOrNullIf(occurred_at, direction = 'inbound'),
    count(),
    countIf(direction = 'inbound'),
    intDiv(count() + 3, 4),
    intDiv(count() + 11, 12),
    argMax(channel, occurred_at),
    countIf(touchpoint IN ('purchase', 'renewal')),
    sumMapIf(map(assumeNotNull(currency), assumeNotNull(value)), isNotNull(value)),
    avg(sentiment),
    argMaxOrNullIf(assumeNotNull(rating_score), occurred_at, rating_metric = 'nps'),
    argMaxOrNullIf(assumeNotNull(rating_score), occurred_at, rating_metric = 'csat'),
    argMaxOrNullIf(assumeNotNull(rating_score), occurred_at, rating_metric = 'ces'),
    round(100 * pow((sipHash64(customer_id) % 1000) / 1000, 4), 1) AS score,
    multiIf(score >= 75, 'critical', score >= 50, 'high', score >= 25, 'medium', 'low'),
    if(score < 25, [], [('unresolved', score / 2, 'two contacts stayed unresolved'), ('silence', score / 2, 'no visit for 40 days, usually every 12')]),
    if(score < 25, 'none', 'Call back and settle the open contact'),
    '6',
    last,
    concat('{"signals":"', repeat(lower(hex(sipHash64(customer_id, 1))), 20), repeat(lower(hex(sipHash64(customer_id, 2))), 15), '"}'),
    1,
    toInt32(sipHash64(customer_id) % 12),
    revision
FROM touchpoints_log FINAL
WHERE customer_id >= {from:String} AND customer_id < {until:String}
GROUP BY customer_id;

-- Two changes of level of each customer at risk, one of everybody else.
INSERT INTO risk_log
(
    customer_id, revision, as_of, score, level, previous_level, reasons, action, model_version, event_id, imported,
    kafka_epoch, kafka_partition, kafka_offset
)
SELECT
    customer_id, revision - change, last_seen_at - toIntervalDay(change), score, if(change = 0, level, 'low'),
    if(change = 0 AND score >= 25, 'low', NULL), reasons, action, model_version,
    reinterpretAsUUID(sipHash128(customer_id, change)), false, kafka_epoch, kafka_partition, kafka_offset - change
FROM customers_log FINAL
ARRAY JOIN if(score >= 25, [0, 1], [0]) AS change
WHERE customer_id >= {from:String} AND customer_id < {until:String};
