-- Per key. Deliveries are counted as orders: several notices of one order (its reference) in a week are one, and a
-- notice without a reference is one of its own. An order belongs to the week of the notice, so that one delayed in
-- one week and delivered in the next is in both. Failed payments are attempts: each counts.
CREATE OR REPLACE VIEW delivery_and_billing /*on_cluster*/
(
    week Date COMMENT 'Monday of the week, UTC',
    orders UInt64 COMMENT 'Orders with any notice of delivery in the week',
    delivered UInt64 COMMENT 'Orders delivered',
    late UInt64 COMMENT 'Orders delayed',
    damaged UInt64 COMMENT 'Orders damaged',
    lost UInt64 COMMENT 'Orders lost',
    returned UInt64 COMMENT 'Orders of which something came back',
    faulty UInt64 COMMENT 'Orders late, damaged or lost, each once',
    fault_rate Nullable(Float64) COMMENT 'faulty / orders, 0 to 1; null without orders',
    faulty_customers UInt64 COMMENT 'Customers of these',
    failed_payments UInt64 COMMENT 'Payments that failed',
    failed_customers UInt64 COMMENT 'Customers whose payments failed',
    failed_values Map(String, Float64) COMMENT 'Sum of what failed to be paid, by currency, as far as it was said',
    billing_inquiries UInt64 COMMENT 'Questions about a bill',
    inquiring_customers UInt64 COMMENT 'Customers who asked'
)
AS SELECT
    toMonday(occurred_at) AS week,
    uniqExactIf(goods, is_delivery) AS orders,
    uniqExactIf(goods, is_delivery AND touchpoint = 'delivered' AND ifNull(outcome != 'failed', true)) AS delivered,
    uniqExactIf(goods, is_delivery AND touchpoint = 'delayed') AS late,
    uniqExactIf(goods, is_delivery AND touchpoint = 'damaged') AS damaged,
    uniqExactIf(goods, is_delivery AND touchpoint = 'lost') AS lost,
    uniqExactIf(goods, is_delivery AND touchpoint = 'return_received') AS returned,
    uniqExactIf(goods, is_delivery AND is_fault) AS faulty,
    if(orders = 0, NULL, faulty / orders) AS fault_rate,
    uniqExactIf(customer_id, is_delivery AND is_fault) AS faulty_customers,
    countIf(is_failure) AS failed_payments,
    uniqExactIf(customer_id, is_failure) AS failed_customers,
    mapSort(mapApply(
        (name, amount) -> (name, amount / 10000),
        sumMapIf(
            map(ifNull(currency, ''), toInt128(round(ifNull(value, 0) * 10000))),
            is_failure AND isNotNull(value)
        )
    )) AS failed_values,
    countIf(is_inquiry) AS billing_inquiries,
    uniqExactIf(customer_id, is_inquiry) AS inquiring_customers
FROM
(
    SELECT
        customer_id,
        occurred_at,
        touchpoint,
        outcome,
        value,
        currency,
        channel = 'delivery' AS is_delivery,
        (customer_id, ifNull(reference, toString(event_id))) AS goods,
        touchpoint IN ('delayed', 'damaged', 'lost') AS is_fault,
        (channel = 'subscription' AND touchpoint = 'payment_failed')
            OR (channel = 'web' AND touchpoint = 'payment' AND ifNull(outcome = 'failed', false)) AS is_failure,
        channel = 'subscription' AND touchpoint = 'billing_inquiry' AS is_inquiry
    FROM touchpoints
    WHERE (channel = 'delivery' AND touchpoint != 'order_confirmed')
        OR (channel = 'subscription' AND touchpoint IN ('payment_failed', 'billing_inquiry'))
        OR (channel = 'web' AND touchpoint = 'payment')
)
WHERE is_delivery OR is_failure OR is_inquiry
GROUP BY week
ORDER BY week
COMMENT 'Late, damaged and lost deliveries, failed payments and billing inquiries, by week';
