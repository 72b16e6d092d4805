CREATE OR REPLACE VIEW alerts /*on_cluster*/
(
    alert_id UUID COMMENT 'Derived from customer, level and moment, so that a replay repeats it',
    customer_id String COMMENT 'Key of the customer',
    raised_at DateTime64(3, 'UTC') COMMENT 'The moment of the change of level, UTC',
    score Float64 COMMENT '0 to 100',
    level String COMMENT 'Level that raised it',
    reasons Array(Tuple(code String, points Float64, text String)) COMMENT 'Why, at most five, the largest first: code, points it adds, the fact in words',
    action String COMMENT 'What to do next',
    model_version String COMMENT 'Version of the risk model',
    destination String COMMENT 'Name of the destination; empty for the alert itself',
    attempt Int32 COMMENT '0 for the alert itself, then 1, 2, ...',
    status String COMMENT 'raised, delivered, failed or given_up',
    error Nullable(String) COMMENT 'Why an attempt failed',
    attempted_at DateTime64(3, 'UTC') COMMENT 'When, UTC'
)
AS SELECT
    alert_id,
    customer_id,
    raised_at,
    score,
    level,
    reasons,
    action,
    model_version,
    destination,
    attempt,
    status,
    error,
    attempted_at
FROM alerts_log FINAL
COMMENT 'Alerts, and every attempt to deliver them';
