-- What screen_pop says of touchpoints, all made of one reading of touchpoints_log: planning a query takes longer than
-- reading one person, and every view, subquery and use of an alias inside it is planned again (COST.md). Hence the text of
-- person_touches stands in it, in place of its name. The front desk adds up the same rows itself, and a test holds both
-- answers equal: pipeline/console/contacts.py.
--
-- An issue stands from what opened it first after it was settled last.
CREATE OR REPLACE VIEW person_contacts /*on_cluster*/
AS SELECT
    seen.* EXCEPT (journey, open_issues),
    if(empty(journey), NULL, journey[-1].1) AS journey_started_at,
    length(journey) AS journey_touchpoints,
    arraySort(arrayDistinct(journey.2)) AS journey_channels,
    arraySort(arrayDistinct(journey.3)) AS journey_stages,
    open_issues
FROM
(
    SELECT
        sums.* EXCEPT (newest, steps, newest_steps, settled, standing, touched, contacts),
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
        newest_steps.2::Array(Tuple(
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
        ) AS journey,
        arrayMap(
            issue -> (
                issue.2, issue.3, issue.4, issue.1.1, touched[issue.5], contacts[issue.5]
            ),
            arrayFilter((issue, nth) -> nth = 1, standing, arrayEnumerateUniq(standing.5))
        )::Array(Tuple(
            reference Nullable(String),
            channel String,
            touchpoint String,
            since DateTime64(3, 'UTC'),
            last_at DateTime64(3, 'UTC'),
            contacts UInt64
        )) AS open_issues
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
            )) AS newest_steps,
            maxMapIf(map(subject, place), effect = 'settles') AS settled,
            arrayFilter(
                issue -> issue.1 > settled[issue.5],
                arraySort(groupArrayIf((place, reference, channel, touchpoint, subject), effect = 'opens'))
            ) AS standing,
            maxMap(map(subject, occurred_at)) AS touched,
            sumMap(map(subject, toUInt64(direction = 'inbound'))) AS contacts
        FROM
        (
            SELECT
                *,
                (occurred_at, UUIDToNum(event_id)) AS place,
                ifNull(concat('r', reference), concat('c', channel)) AS subject
            FROM
            (
/*select of person_touches*/
            )
        )
        HAVING touchpoints > 0
    ) AS sums
    CROSS JOIN
    (
        SELECT argMax(value, set_at) AS gap_days FROM parameters WHERE name = 'journey_gap_days'
    ) AS gaps
) AS seen
COMMENT 'Columns of screen_pop from first_seen_at to open_issues, of a person whose keys are known; no row when there is no touchpoint: person_contacts(keys = [...])';
