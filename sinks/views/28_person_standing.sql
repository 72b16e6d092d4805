-- Read from the tables, past the views customers, risk and alerts, as person_contacts does.
CREATE OR REPLACE VIEW person_standing /*on_cluster*/
AS SELECT risk.*, alert.*
FROM
(
    SELECT
        anyOrNull(score) AS score,
        anyOrNull(level) AS level,
        any(reasons) AS reasons,
        anyOrNull(action) AS action,
        anyOrNull(scored_at) AS scored_at,
        (SELECT argMaxOrNullIf(as_of, revision, previous_level IS NULL OR previous_level != level) FROM risk_log FINAL WHERE customer_id = {person:String}) AS at_risk_since
    FROM customers_log FINAL
    WHERE customer_id = {person:String} AND touchpoints > 0 -- as in view customers
) AS risk
CROSS JOIN
(
    SELECT
        if(is_open, newest.1, NULL) AS alert_id,
        if(is_open, newest.2, NULL) AS alert_level,
        if(is_open, newest.3, NULL) AS alert_raised_at,
        if(is_open, if(isNull(taking.2), 'open', 'acknowledged'), NULL) AS alert_status,
        if(is_open, taking.2, NULL) AS acknowledged_at,
        if(is_open, taking.3, NULL) AS acknowledged_by,
        if(snooze > now64(3), snooze, NULL) AS snoozed_until
    FROM
    (
        SELECT
            newest,
            snooze,
            has_alert AND NOT has(ended, newest.1) AS is_open,
            arrayFirst(taking -> taking.1 = newest.1, taken_on) AS taking
        FROM
        (
            SELECT
                countIf(status = 'raised') > 0 AS has_alert,
                argMaxIf((alert_id, level, raised_at), (raised_at, score), status = 'raised') AS newest,
                groupArrayIf(assumeNotNull(about), status = 'over') AS ended,
                groupArrayIf(
                    (assumeNotNull(about), toNullable(attempted_at), by),
                    status = 'acknowledged'
                ) AS taken_on,
                argMaxOrNullIf(until, attempted_at, status = 'snoozed') AS snooze
            FROM alerts_log FINAL
            WHERE customer_id = {person:String}
        )
    )
) AS alert
COMMENT 'Columns of screen_pop from score to snoozed_until, one row for anybody: person_standing(person = ''...'')';
