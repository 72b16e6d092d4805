-- Works per key: every anonymous visitor counts as a customer; known_customers leaves them out. Reads touchpoints once, and
-- the catalogue.
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
    if(in_catalogue, anyIf(stage, listed), anyIf(stage, NOT listed)) AS stage,
    sum(uses) AS touchpoints,
    sum(uses_inbound) AS inbound,
    sum(users) AS customers,
    toUInt64(sum(users) - sum(visitors)) AS known_customers,
    touchpoints / greatest(sum(sum(uses)) OVER (), 1) AS share,
    sum(recent) AS last_30_days,
    sum(before) AS previous_30_days,
    min(first_at) AS first_used_at,
    max(last_at) AS last_used_at
FROM
(
    SELECT
        channel,
        touchpoint,
        false AS listed,
        if(startsWith(touchpoint, 'x_'), argMaxIf(stage, (occurred_at, event_id), startsWith(touchpoint, 'x_')), any(stage))
            AS stage,
        count() AS uses,
        countIf(direction = 'inbound') AS uses_inbound,
        uniqExact(customer_id) AS users,
        uniqExactIf(customer_id, startsWith(customer_id, 'anon:')) AS visitors,
        countIf(occurred_at > now64(3) - toIntervalDay(30)) AS recent,
        countIf(occurred_at > now64(3) - toIntervalDay(60) AND occurred_at <= now64(3) - toIntervalDay(30)) AS before,
        toNullable(min(occurred_at)) AS first_at,
        toNullable(max(occurred_at)) AS last_at
    FROM touchpoints
    GROUP BY channel, touchpoint
    UNION ALL
    SELECT channel, touchpoint, true, stage, 0, 0, 0, 0, 0, 0, NULL, NULL
    FROM catalogue
)
GROUP BY channel, touchpoint
ORDER BY touchpoints DESC, channel, touchpoint
COMMENT 'Which touchpoints exist, and how often each is used';
