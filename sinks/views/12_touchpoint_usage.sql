-- Works per key: every anonymous visitor counts as a customer; known_customers leaves them out. Adds up within a customer
-- first, so that customers are counted without a set of all of them at every touchpoint. Reads touchpoints once, and the
-- catalogue.
CREATE OR REPLACE VIEW touchpoint_usage /*on_cluster*/
(
    channel String COMMENT 'Channel',
    touchpoint String COMMENT 'Touchpoint of the channel',
    in_catalogue Bool COMMENT 'False: a custom touchpoint (x_...)',
    stage String COMMENT 'Stage it belongs to by the catalogue; for a custom one, as of its last use',
    touchpoints UInt64 COMMENT 'How often it was used; 0 when it never was',
    inbound UInt64 COMMENT 'Of these, those the customers came with; the others the company sent',
    customers UInt64 COMMENT 'Customers who used it, anonymous visitors among them',
    known_customers UInt64 COMMENT 'Of these, those who are known',
    share Float64 COMMENT 'Its share of all touchpoints, 0 to 1',
    last_30_days UInt64 COMMENT 'How often in the last 30 days',
    previous_30_days UInt64 COMMENT 'How often in the 30 days before',
    first_used_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First use, UTC; null when never',
    last_used_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last use, UTC; null when never'
)
AS SELECT
    channel,
    touchpoint,
    max(listed) AS in_catalogue,
    argMax(stage, (listed, used_at, stage)) AS stage,
    sum(uses) AS touchpoints,
    sum(uses_inbound) AS inbound,
    countIf(NOT listed) AS customers,
    countIf(NOT listed AND NOT startsWith(customer_id, 'anon:')) AS known_customers,
    touchpoints / greatest(sum(sum(uses)) OVER (), 1) AS share,
    sum(uses_30_days) AS last_30_days,
    toUInt64(sum(uses_60_days) - last_30_days) AS previous_30_days,
    minOrNullIf(first_at, NOT listed) AS first_used_at,
    maxOrNullIf(used_at, NOT listed) AS last_used_at
FROM
(
    SELECT
        channel, touchpoint, false AS listed, customer_id, stage, uses, uses_inbound, uses_30_days, uses_60_days, first_at,
        used_at
    FROM
    (
        SELECT
            customer_id,
            channel,
            touchpoint,
            argMax(touchpoints.stage, occurred_at) AS stage,
            count() AS uses,
            countIf(direction = 'inbound') AS uses_inbound,
            countIf(occurred_at > now64(3) - toIntervalDay(30)) AS uses_30_days,
            countIf(occurred_at > now64(3) - toIntervalDay(60)) AS uses_60_days,
            min(occurred_at) AS first_at,
            max(occurred_at) AS used_at
        FROM touchpoints
        GROUP BY customer_id, channel, touchpoint
    )
    UNION ALL
    SELECT channel, touchpoint, true, '', stage, 0, 0, 0, 0, toDateTime64(0, 3, 'UTC'), toDateTime64(0, 3, 'UTC')
    FROM catalogue
)
GROUP BY channel, touchpoint
ORDER BY touchpoints DESC, channel, touchpoint
COMMENT 'Which touchpoints exist, and how often each is used';
