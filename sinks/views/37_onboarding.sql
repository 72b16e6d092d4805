-- One row for each person who ever began: the latest round, which begins with the first trial_start or onboarding_step after
-- the last cancelled. What failed or was broken off (outcome failed, cancelled, abandoned) is not done. Stuck is who has
-- made no progress for 7 days, as for the risk model. The steps to compare with are those that at least half of the activated
-- have done, in the order in which they did them on average. Names of steps are the attribute step; a step without one
-- counts under ''.
-- Works per person, across the devices that active links (identities) stitch. Late touchpoints count. Reads touchpoints once,
-- four of channel subscription only (with attributes), and identities once.
CREATE OR REPLACE VIEW onboarding /*on_cluster*/
(
    person_id String COMMENT 'The customer, also by an active link of view identities; else the key itself',
    state String COMMENT 'stuck, under_way, left (cancelled before being activated) or activated',
    started_at DateTime64(3, 'UTC') COMMENT 'First trial_start or onboarding_step of the round, UTC',
    steps_done Array(String) COMMENT 'Steps done, in order',
    usual_steps Array(String) COMMENT 'Steps that at least half of the activated have done, in their usual order',
    next_step Nullable(String) COMMENT 'Where somebody not yet activated stands: the step that failed last, else the first usual step not done; null when all are done',
    failures UInt64 COMMENT 'Steps that failed or were broken off',
    progress_at DateTime64(3, 'UTC') COMMENT 'Latest progress, UTC: the start, a step done, or the activation; who is stuck has been so since then',
    activated_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When activated, UTC; null: not yet',
    left_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When cancelled, UTC, before or after being activated; null: not',
    took_ms Int64 COMMENT 'From the start to the activation; of those not activated, to leaving or to now, milliseconds',
    usual_ms Nullable(Float64) COMMENT 'Median of took_ms of all who were activated, milliseconds; null without any',
    quicker_share Nullable(Float64) COMMENT 'Of all who were activated, the share that took no longer than this one, 0 to 1; null without any'
)
AS SELECT
    one.person_id AS person_id,
    multiIf(
        isNotNull(activated_at), 'activated',
        isNotNull(left_at), 'left',
        progress_at + toIntervalDay(7) < now64(3), 'stuck',
        'under_way'
    ) AS state,
    one.started_at AS started_at,
    one.steps_done AS steps_done,
    usual_steps,
    multiIf(
        isNotNull(activated_at), NULL,
        one.failed_step != '', one.failed_step,
        nullIf(arrayFirst(step -> NOT has(steps_done, step), usual_steps), '')
    ) AS next_step,
    one.failures AS failures,
    one.progress_at AS progress_at,
    one.activated_at AS activated_at,
    one.left_at AS left_at,
    one.took_ms AS took_ms,
    usual_ms,
    if(activated = 0, NULL, countIf(isNotNull(activated_at)) OVER (ORDER BY took_ms) / activated) AS quicker_share
FROM
(
    SELECT
        groupArray(CAST(
            (person_id, started_at, steps_done, failed_step, failures, progress_at, activated_at, left_at, took_ms),
            'Tuple(
                person_id String, started_at DateTime64(3, ''UTC''), steps_done Array(String), failed_step String,
                failures UInt64, progress_at DateTime64(3, ''UTC''), activated_at Nullable(DateTime64(3, ''UTC'')),
                left_at Nullable(DateTime64(3, ''UTC'')), took_ms Int64
            )'
        )) AS everyone,
        countIf(isNotNull(activated_at)) AS activated,
        quantileExactInclusiveOrNullIf(0.5)(took_ms, isNotNull(activated_at)) AS usual_ms,
        sumMapIf(
            steps_done, arrayMap(step -> 1, steps_done), arrayEnumerate(steps_done), isNotNull(activated_at)
        ) AS done,
        arrayFilter(step -> 2 * step.2 >= activated, arrayZip(done.1, done.2, done.3)) AS frequent,
        arraySort(step -> (step.3 / step.2, step.1), frequent).1 AS usual_steps
    FROM
    (
        SELECT
            person_id,
            arraySort(groupArrayArray(touches)) AS story,
            arraySplit(
                (touch, before) -> before.3 = 'cancelled', story, arrayPushFront(arrayPopBack(story), story[1])
            ) AS rounds,
            arrayLast(part -> hasAny(part.3, ['trial_start', 'onboarding_step']), rounds) AS last_round,
            arraySlice(
                last_round,
                arrayFirstIndex(touch -> touch.3 IN ('trial_start', 'onboarding_step'), last_round)
            ) AS round,
            arrayFirst(touch -> touch.3 = 'activated' AND touch.4, round) AS activation,
            arrayFilter(touch -> touch.3 = 'onboarding_step', round) AS steps,
            round[1].1 AS started_at,
            if(activation.3 = '', NULL, activation.1) AS activated_at,
            if(round[-1].3 = 'cancelled', round[-1].1, NULL) AS left_at,
            arrayDistinct(arrayFilter(touch -> touch.4, steps).5) AS steps_done,
            if(steps[-1].4 OR has(steps_done, steps[-1].5), '', steps[-1].5) AS failed_step,
            arrayCount(touch -> NOT touch.4, steps) AS failures,
            arrayLast(touch -> touch.4 AND touch.3 != 'cancelled', round).1 AS progress_done_at,
            greatest(progress_done_at, started_at) AS progress_at,
            dateDiff('millisecond', started_at, coalesce(activated_at, left_at, now64(3))) AS took_ms
        FROM
        (
            SELECT ifNull(nullIf(links.person_id, ''), found.key) AS person_id, found.touches AS touches
            FROM
            (
                SELECT
                    customer_id AS key,
                    groupArray((
                        occurred_at,
                        UUIDToNum(event_id),
                        touchpoint,
                        ifNull(outcome, '') NOT IN ('failed', 'cancelled', 'abandoned'),
                        attributes['step']
                    )) AS touches
                FROM touchpoints
                WHERE channel = 'subscription'
                    AND touchpoint IN ('trial_start', 'onboarding_step', 'activated', 'cancelled')
                GROUP BY customer_id
            ) AS found
            LEFT JOIN (SELECT key, person_id FROM person_links(person = '')) AS links ON links.key = found.key
        )
        GROUP BY person_id
        HAVING notEmpty(last_round)
    )
)
ARRAY JOIN everyone AS one
ORDER BY state = 'activated', state = 'left', progress_at, person_id
COMMENT 'Who started, who is stuck and where, who was activated, and how each compares with those who were';
