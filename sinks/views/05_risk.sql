CREATE OR REPLACE VIEW risk /*on_cluster*/
(
    customer_id String COMMENT 'Key of the customer',
    revision Int64 COMMENT 'Log position of what changed it, as in journeys',
    as_of DateTime64(3, 'UTC') COMMENT 'The moment the score is for, UTC',
    score Float64 COMMENT '0 to 100',
    level String COMMENT 'low, medium, high, critical or gone',
    previous_level Nullable(String) COMMENT 'Level before, null for a new customer',
    reasons Array(Tuple(code String, points Float64, text String)) COMMENT 'Why, at most five, the largest first: code, points it adds, the fact in words',
    action String COMMENT 'What to do next',
    model_version String COMMENT 'Version of the risk model',
    event_id UUID COMMENT 'The touchpoint that changed it; where silence alone did, the latest one known',
    imported Bool COMMENT 'True: imported history, which never notifies'
)
AS SELECT
    customer_id,
    revision,
    as_of,
    score,
    level,
    previous_level,
    reasons,
    action,
    model_version,
    event_id,
    imported
FROM risk_log FINAL
COMMENT 'Every change of a level of risk, with its reasons';
