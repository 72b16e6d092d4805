-- What screen_pop says, once the keys of the person are known. They come as values, so that each of the tables is
-- read by its primary key, or its index by_customer, and nothing of it is read twice but the touchpoints: for the
-- sums and for what is open.
-- Each step is a subquery of its own: an alias that is used in several places would be worked out anew in each when the
-- query is planned, which took longer than all the reading.
CREATE OR REPLACE VIEW person_summary /*on_cluster*/
AS SELECT
    {person:String} AS customer_id,
    arrayFilter(key -> key != {person:String}, {keys:Array(String)}) AS linked_ids,
    seen.* EXCEPT journey,
    if(empty(journey), NULL, journey[-1].1) AS journey_started_at,
    length(journey) AS journey_touchpoints,
    arraySort(arrayDistinct(journey.2)) AS journey_channels,
    arraySort(arrayDistinct(journey.3)) AS journey_stages,
    issues.open_issues AS open_issues,
    risk.*,
    alert.*
FROM
(
    SELECT
        sums.* EXCEPT (newest, steps, newest_steps),
        newest.1 AS last_at,
        newest.2 AS last_channel,
        newest.3 AS last_touchpoint,
        newest.4 AS last_outcome,
        newest.5 AS last_reference,
        newest.6 AS last_sentiment,
        if(
            isNull(newest.6),
            NULL,
            multiIf(newest.6 <= -0.35, 'negative', newest.6 >= 0.35, 'positive', 'neutral')
        ) AS last_mood,
        arrayMap(step -> step.2, newest_steps)::Array(Tuple(
            occurred_at DateTime64(3, 'UTC'),
            channel String,
            touchpoint String,
            stage String,
            direction String,
            outcome Nullable(String),
            sentiment Nullable(Float64),
            value Nullable(Float64),
            currency Nullable(String),
            reference Nullable(String)
        )) AS recent,
        if(
            ifNull(newest.1 + toIntervalDay(gap_days) >= now64(3), false),
            arraySlice(steps, 1, arrayFirstIndex(
                (step, before) -> before.1 + toIntervalDay(gap_days) < step.1,
                steps,
                arrayPushBack(arrayPopFront(steps), (toDateTime64(0, 3, 'UTC'), '', ''))
            )),
            []
        ) AS journey
    FROM
    (
        SELECT
            min(occurred_at) AS first_seen_at,
            minOrNullIf(occurred_at, bought) AS customer_since,
            count() AS touchpoints,
            countIf(bought) AS purchases,
            mapSort(mapApply(
                (name, amount) -> (name, amount / 10000),
                sumMapIf(
                    map(ifNull(currency, ''), toInt128(round(ifNull(value, 0) * 10000))),
                    isNotNull(value) AND ifNull(outcome, '') != 'failed'
                )
            )) AS values,
            argMaxIf(
                (toNullable(occurred_at), toNullable(channel), toNullable(touchpoint), outcome, reference, sentiment),
                place,
                direction = 'inbound'
            ) AS newest,
            argMaxOrNullIf(rating_score, place, rating_metric = 'nps') AS nps,
            maxOrNullIf(occurred_at, rating_metric = 'nps') AS nps_at,
            argMaxOrNullIf(rating_score, place, rating_metric = 'csat') AS csat,
            argMaxOrNullIf(rating_score, place, rating_metric = 'ces') AS ces,
            arrayReverseSort(groupArrayIf((occurred_at, channel, stage), direction = 'inbound')) AS steps,
            groupArraySorted(20)((
                (-toUnixTimestamp64Milli(occurred_at), bitNot(UUIDToNum(event_id))),
                (occurred_at, channel, touchpoint, stage, direction, outcome, sentiment, value, currency, reference)
            )) AS newest_steps
        FROM
        (
            SELECT
                *,
                (occurred_at, UUIDToNum(event_id)) AS place,
                (channel, touchpoint) IN (
                    ('web', 'purchase'), ('mobile_app', 'purchase'), ('in_store', 'purchase'),
                    ('subscription', 'renewal'), ('subscription', 'upgrade'), ('sales', 'deal_won')
                ) AND ifNull(outcome NOT IN ('failed', 'cancelled', 'abandoned'), true) AS bought
            FROM touchpoints
            WHERE customer_id IN {keys:Array(String)}
        )
        HAVING touchpoints > 0
    ) AS sums
    CROSS JOIN
    (
        SELECT argMax(value, set_at) AS gap_days FROM parameters WHERE name = 'journey_gap_days'
    ) AS gaps
) AS seen
CROSS JOIN
(
    SELECT arraySort(issue -> issue.since, groupArray(CAST(
        (reference, standing[1].2, standing[1].3, standing[1].1.1, last_at, contacts),
        'Tuple(reference Nullable(String), channel String, touchpoint String, since DateTime64(3, \'UTC\'),
            last_at DateTime64(3, \'UTC\'), contacts UInt64)'
    ))) AS open_issues
    FROM
    (
        SELECT
            reference,
            maxIf(place, settles) AS settled,
            arraySort(arrayFilter(
                opening -> opening.1 > settled,
                groupArrayIf((place, channel, touchpoint), opens)
            )) AS standing,
            max(occurred_at) AS last_at,
            countIf(direction = 'inbound') AS contacts
        FROM
        (
            SELECT
                reference,
                channel,
                touchpoint,
                occurred_at,
                direction,
                (occurred_at, UUIDToNum(event_id)) AS place,
                ifNull(outcome IN ('resolved', 'converted', 'cancelled'), false) AS done,
                ifNull(outcome IN ('unresolved', 'escalated'), false) OR (NOT done AND (channel, touchpoint) IN (
                    ('phone', 'complaint'), ('email', 'complaint'), ('social', 'complaint'),
                    ('helpdesk', 'ticket_opened'), ('helpdesk', 'ticket_reopened'), ('helpdesk', 'ticket_escalated'),
                    ('helpdesk', 'supervisor_involved'), ('subscription', 'payment_failed'),
                    ('delivery', 'delayed'), ('delivery', 'damaged'), ('delivery', 'lost')
                )) AS opens,
                NOT opens AND (done OR (ifNull(outcome != 'failed', true) AND (channel, touchpoint) IN (
                    ('helpdesk', 'ticket_resolved'), ('community', 'solution_accepted'), ('delivery', 'delivered'),
                    ('delivery', 'return_received'), ('web', 'payment'), ('subscription', 'renewal')
                ))) AS settles
            FROM touchpoints
            WHERE customer_id IN {keys:Array(String)}
        )
        GROUP BY reference, if(isNull(reference), channel, '')
        HAVING notEmpty(standing)
    )
) AS issues
CROSS JOIN
(
    SELECT
        anyOrNull(score) AS score,
        anyOrNull(level) AS level,
        any(reasons) AS reasons,
        anyOrNull(action) AS action,
        anyOrNull(scored_at) AS scored_at,
        (SELECT argMaxOrNull(as_of, revision) FROM risk WHERE customer_id = {person:String}) AS at_risk_since
    FROM customers
    WHERE customer_id = {person:String}
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
            FROM alerts
            WHERE customer_id = {person:String}
        )
    )
) AS alert
COMMENT 'The row of screen_pop for a person whose keys are known: person_summary(person = ''...'', keys = [...])';
