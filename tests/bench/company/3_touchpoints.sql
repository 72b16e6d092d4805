-- As landing leaves them: in the order of the log, so that every part holds all kinds of customers.
INSERT INTO touchpoints_log
(
    event_id, customer_id, anonymous_id, occurred_at, received_at, channel, touchpoint, stage, direction, outcome,
    sentiment, rating_metric, rating_score, value, currency, duration_ms, wait_ms, reference, staff_id, campaign, partner,
    attributes, source, import_id, kafka_epoch, kafka_partition, kafka_offset
)
SELECT
    reinterpretAsUUID(sipHash128(customer_id, luck)),
    customer_id,
    device,
    occurred_at,
    occurred_at + toIntervalMillisecond(luck % 5000),
    channel,
    touchpoint,
    stage,
    direction,
    multiIf(
        touchpoint LIKE '%abandon', 'abandoned',
        touchpoint IN ('purchase', 'renewal', 'deal_won', 'activated', 'upgrade'), 'converted',
        touchpoint IN ('payment_failed', 'checkout_error', 'lost', 'bounce'), 'failed',
        touchpoint IN ('cancelled', 'deal_lost'), 'cancelled',
        channel IN ('phone', 'live_chat', 'helpdesk', 'social') AND direction = 'inbound',
            ['resolved', 'resolved', 'resolved', 'unresolved', 'escalated', 'completed', 'completed', NULL][1 + luck % 8],
        luck % 3 = 0, 'completed',
        NULL
    ),
    if(direction = 'inbound' AND (channel IN ('phone', 'live_chat', 'social', 'survey', 'helpdesk') OR luck % 11 = 0),
        (toInt64(intDiv(luck, 100) % 201) - 90) / 111, NULL) AS mood,
    if(touchpoint IN ('nps', 'csat', 'ces'), touchpoint, NULL) AS metric,
    multiIf(touchpoint = 'nps', luck % 11, touchpoint = 'csat', 1 + luck % 5, touchpoint = 'ces', 1 + luck % 7, NULL),
    if(touchpoint IN ('purchase', 'renewal', 'payment', 'invoice', 'payment_failed', 'deal_won', 'return', 'cart_add', 'upgrade'),
        (500 + luck % 20000) / 100, NULL) AS money,
    if(isNull(money), NULL, ['EUR', 'EUR', 'EUR', 'USD', 'GBP'][1 + customer % 5]),
    if(channel IN ('web', 'phone', 'live_chat', 'self_service'), luck % 600000, NULL),
    if(channel IN ('phone', 'live_chat', 'helpdesk') AND direction = 'inbound', intDiv(luck, 7) % 900000, NULL),
    multiIf(
        channel = 'delivery' OR touchpoint IN ('purchase', 'payment', 'return', 'cart_add', 'cart_abandon'),
            concat('order-', toString(customer), '-', toString(intDiv(visit, 3))),
        channel IN ('helpdesk', 'phone', 'live_chat'), concat('ticket-', toString(customer), '-', toString(intDiv(visit, 3))),
        NULL
    ),
    if(channel IN ('phone', 'live_chat', 'helpdesk', 'sales', 'in_store'), concat('staff-', toString(luck % 300)), NULL),
    if(channel IN ('email', 'advertising', 'link', 'event', 'loyalty'), concat('campaign-', toString(luck % 40)), NULL),
    if(luck % 50 = 0, concat('partner-', toString(luck % 7)), NULL),
    if(channel = 'web', map('page', concat('/products/', toString(luck % 1000))), map()),
    ['http', 'http', 'emitter', 'webhook:zendesk'][1 + luck % 4],
    if(luck % 20 = 0, concat('import-', toString(luck % 3)), NULL),
    1,
    toInt32(sipHash64(customer_id) % 12),
    toUnixTimestamp64Milli(occurred_at) * 4096 + luck % 4096
FROM staging.touches
WHERE occurred_at >= toDateTime64({from:Int64} / 1000, 3, 'UTC') AND occurred_at < toDateTime64({until:Int64} / 1000, 3, 'UTC')
ORDER BY occurred_at;
