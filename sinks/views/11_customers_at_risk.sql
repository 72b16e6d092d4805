CREATE OR REPLACE VIEW customers_at_risk /*on_cluster*/
(
    customer_id String COMMENT 'The customer',
    score Float64 COMMENT 'Risk of leaving, 0 to 100, at scored_at',
    level String COMMENT 'medium, high or critical',
    since Nullable(DateTime64(3, 'UTC')) COMMENT 'When the level was last changed, UTC; null when that was not recorded',
    why String COMMENT 'The reasons in words, the largest first',
    reasons Array(Tuple(code String, points Float64, text String)) COMMENT 'The reasons: code, points it adds, the fact in words',
    action String COMMENT 'What to do next',
    last_seen_at DateTime64(3, 'UTC') COMMENT 'Last touchpoint, UTC',
    last_channel String COMMENT 'Channel of the last touchpoint',
    values Map(String, Float64) COMMENT 'Sum of values by currency',
    scored_at DateTime64(3, 'UTC') COMMENT 'The moment the score is for, UTC',
    model_version String COMMENT 'Version of the risk model',
    alert_id Nullable(UUID) COMMENT 'The alert that is not over; null: there is none',
    alert_status Nullable(String) COMMENT 'Of that alert: open, or acknowledged: somebody has taken it on; null: there is none',
    alert_raised_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The moment it was raised for, UTC',
    acknowledged_by Nullable(String) COMMENT 'Who took it on, as they said',
    snoozed_until Nullable(DateTime64(3, 'UTC')) COMMENT 'Nothing is raised before, UTC; null: not snoozed now'
)
AS SELECT
    customer_id,
    customers.score AS score,
    customers.level AS level,
    changes.since AS since,
    arrayStringConcat(customers.reasons.text, '; ') AS why,
    customers.reasons AS reasons,
    customers.action AS action,
    customers.last_seen_at AS last_seen_at,
    customers.last_channel AS last_channel,
    customers.values AS values,
    customers.scored_at AS scored_at,
    customers.model_version AS model_version,
    told.alert_id AS alert_id,
    told.status AS alert_status,
    told.raised_at AS alert_raised_at,
    told.acknowledged_by AS acknowledged_by,
    snoozed.until AS snoozed_until
FROM customers
LEFT JOIN
(
    SELECT
        customer_id,
        toNullable(argMax(as_of, revision)) AS since
    FROM risk
    WHERE previous_level IS NULL OR previous_level != level
    GROUP BY customer_id
) AS changes USING (customer_id)
LEFT JOIN
(
    SELECT
        customer_id,
        toNullable(alert_id) AS alert_id,
        toNullable(status) AS status,
        toNullable(raised_at) AS raised_at,
        acknowledged_by
    FROM alert_states
    WHERE status IN ('open', 'acknowledged')
) AS told USING (customer_id)
LEFT JOIN
(
    SELECT customer_id, argMax(until, attempted_at) AS until
    FROM alerts
    WHERE status = 'snoozed'
    GROUP BY customer_id
    HAVING until > now64(3)
) AS snoozed USING (customer_id)
WHERE level IN ('medium', 'high', 'critical') AND NOT startsWith(customer_id, 'anon:')
ORDER BY score DESC, customer_id
COMMENT 'Who is at risk of leaving, why, since when, and what should be done; as of each customer''s last touchpoint';
