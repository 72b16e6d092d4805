CREATE OR REPLACE VIEW touchpoint_usage /*on_cluster*/
(
    channel String COMMENT 'Channel',
    touchpoint String COMMENT 'Touchpoint of the channel',
    in_catalogue Bool COMMENT 'False: a custom touchpoint (x_...)',
    stage String COMMENT 'Stage it belongs to by the catalogue; for a custom one, as of its last use',
    touchpoints UInt64 COMMENT 'How often it was used; 0 when it never was',
    customers UInt64 COMMENT 'Customers who used it',
    share Float64 COMMENT 'Its share of all touchpoints, 0 to 1',
    first_used_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First use, UTC; null when never',
    last_used_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last use, UTC; null when never'
)
AS WITH
    assumeNotNull((SELECT count() FROM touchpoints)) AS total
SELECT
    channel,
    touchpoint,
    max(listed) AS in_catalogue,
    argMax(stage, (listed, used_at)) AS stage,
    countIf(NOT listed) AS touchpoints,
    uniqExactIf(customer_id, NOT listed) AS customers,
    if(total = 0, 0, touchpoints / total) AS share,
    minOrNullIf(used_at, NOT listed) AS first_used_at,
    maxOrNullIf(used_at, NOT listed) AS last_used_at
FROM
(
    SELECT channel, touchpoint, stage, customer_id, occurred_at AS used_at, false AS listed
    FROM touchpoints
    UNION ALL
    SELECT channel, touchpoint, stage, '', toDateTime64(0, 3, 'UTC'), true
    FROM catalogue
)
GROUP BY channel, touchpoint
ORDER BY touchpoints DESC, channel, touchpoint
COMMENT 'Which touchpoints exist, and how often each is used';
