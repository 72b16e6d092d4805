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
    argMax(stage, (listed, used_at, id)) AS stage,
    countIf(NOT listed) AS touchpoints,
    countIf(NOT listed AND direction = 'inbound') AS inbound,
    uniqExactIf(customer_id, NOT listed) AS customers,
    uniqExactIf(customer_id, NOT listed AND NOT startsWith(customer_id, 'anon:')) AS known_customers,
    touchpoints / greatest(sum(countIf(NOT listed)) OVER (), 1) AS share,
    countIf(NOT listed AND used_at > now64(3) - toIntervalDay(30)) AS last_30_days,
    toUInt64(countIf(NOT listed AND used_at > now64(3) - toIntervalDay(60)) - last_30_days) AS previous_30_days,
    minOrNullIf(used_at, NOT listed) AS first_used_at,
    maxOrNullIf(used_at, NOT listed) AS last_used_at
FROM
(
    SELECT channel, touchpoint, stage, direction, customer_id, occurred_at AS used_at, event_id AS id, false AS listed
    FROM touchpoints
    UNION ALL
    SELECT channel, touchpoint, stage, direction, '', toDateTime64(0, 3, 'UTC'), toUUID('00000000-0000-0000-0000-000000000000'), true
    FROM catalogue
)
GROUP BY channel, touchpoint
ORDER BY touchpoints DESC, channel, touchpoint
COMMENT 'Which touchpoints exist, and how often each is used';
