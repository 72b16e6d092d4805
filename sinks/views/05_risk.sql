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
    imported Bool COMMENT 'True: imported history, which never notifies',
    evidence Array(Tuple(code String, event_id Nullable(UUID), touchpoint String, occurred_at DateTime64(3, 'UTC'))) COMMENT 'The newest touchpoints that each reason rests on: the code of the reason, the touchpoint, when, UTC',
    channels Array(String) COMMENT 'Channels of what the main reason rests on',
    segment Nullable(String) COMMENT 'The company''s own word for the customer: the latest attribute segment',
    value Nullable(Float64) COMMENT 'Sum of the customer''s values; null without any, or with several currencies',
    lasting Bool COMMENT 'Whether somebody at high or critical would still be there after the days that the model says if nothing more happened; where it becomes true within a level, previous_level is the same level'
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
    imported,
    evidence,
    channels,
    segment,
    value,
    lasting
FROM risk_log FINAL
COMMENT 'Every change of a level of risk, with its reasons, and the moment at which a risk of the same level became lasting';
