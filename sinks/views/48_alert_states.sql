CREATE OR REPLACE VIEW alert_states /*on_cluster*/
(
    alert_id UUID COMMENT 'The alert',
    customer_id String COMMENT 'Key of the customer',
    raised_at DateTime64(3, 'UTC') COMMENT 'The moment it was raised for, UTC',
    level String COMMENT 'Level that raised it',
    score Float64 COMMENT '0 to 100, when it was raised',
    reasons Array(Tuple(code String, points Float64, text String)) COMMENT 'Why, the largest first: code, points it adds, the fact in words',
    action String COMMENT 'What to do next',
    status String COMMENT 'open; acknowledged: somebody has taken it on; followed: another alert of the customer has taken its place; over',
    acknowledged_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When somebody took it on, UTC',
    acknowledged_by Nullable(String) COMMENT 'Who, as they said',
    over_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the risk was over, UTC',
    delivered_to Array(String) COMMENT 'Destinations that have it',
    given_up Array(String) COMMENT 'Destinations that did not take it in time'
)
AS SELECT
    raised.alert_id AS alert_id,
    raised.customer_id AS customer_id,
    raised.raised_at AS raised_at,
    raised.level AS level,
    raised.score AS score,
    raised.reasons AS reasons,
    raised.action AS action,
    multiIf(
        isNotNull(said.over_at), 'over',
        newest.alert_id != raised.alert_id, 'followed',
        isNotNull(said.acknowledged_at), 'acknowledged',
        'open'
    ) AS status,
    said.acknowledged_at AS acknowledged_at,
    said.acknowledged_by AS acknowledged_by,
    said.over_at AS over_at,
    sent.delivered_to AS delivered_to,
    arrayFilter(destination -> NOT has(sent.delivered_to, destination), sent.given_up) AS given_up
FROM
(
    SELECT alert_id, customer_id, raised_at, level, score, reasons, action
    FROM alerts_log FINAL
    WHERE status = 'raised'
) AS raised
INNER JOIN
(
    SELECT customer_id, argMax(alert_id, (raised_at, score)) AS alert_id
    FROM alerts_log FINAL
    WHERE status = 'raised'
    GROUP BY customer_id
) AS newest ON newest.customer_id = raised.customer_id
LEFT JOIN
(
    SELECT
        assumeNotNull(about) AS about_id,
        maxIf(toNullable(attempted_at), status = 'acknowledged') AS acknowledged_at,
        maxIf(by, status = 'acknowledged') AS acknowledged_by,
        maxIf(toNullable(attempted_at), status = 'over') AS over_at
    FROM alerts_log FINAL
    WHERE isNotNull(about) AND status IN ('acknowledged', 'over')
    GROUP BY about_id
) AS said ON said.about_id = raised.alert_id
LEFT JOIN
(
    SELECT
        alert_id,
        arraySort(groupUniqArrayIf(destination, status = 'delivered')) AS delivered_to,
        arraySort(groupUniqArrayIf(destination, status = 'given_up')) AS given_up
    FROM alerts_log FINAL
    WHERE attempt > 0
    GROUP BY alert_id
) AS sent ON sent.alert_id = raised.alert_id
COMMENT 'Every alert and what has become of it';
