-- Sums are kept in whole ten-thousandths (money) and millionths (sentiment) as in pipeline/journeys.py, so that the order
-- of adding shows nowhere; what failed was not paid. Path: the first 24.
CREATE OR REPLACE VIEW person_journeys /*on_cluster*/
AS WITH
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'journey_gap_days')) AS gap_days
SELECT
    person_id,
    assumeNotNull(journey_id) AS journey_id,
    arraySort(groupUniqArray(customer_id)) AS keys,
    min(occurred_at) AS started_at,
    max(occurred_at) AS ended_at,
    uniqExact(visit_id) AS visits,
    count() AS touchpoints,
    arraySort(groupUniqArray(channel)) AS channels,
    arraySort(groupUniqArray(stage)) AS stages,
    arraySlice(arraySort(groupArray((position, concat(channel, '.', touchpoint)))).2, 1, 24) AS path,
    argMin(channel, position) AS first_channel,
    argMax(channel, position) AS last_channel,
    minOrNullIf(occurred_at, outcome = 'converted') AS converted_at,
    if(length(values) = 1, mapValues(values)[1], NULL) AS value,
    if(length(values) = 1, nullIf(mapKeys(values)[1], ''), NULL) AS currency,
    mapSort(mapApply(
        (name, amount) -> (name, amount / 10000),
        sumMapIf(
            map(ifNull(steps.currency, ''), toInt128(round(ifNull(steps.value, 0) * 10000))),
            isNotNull(steps.value) AND ifNull(outcome, '') != 'failed'
        )
    )) AS values,
    sum(toInt64(round(sentiment * 1000000))) / count(sentiment) / 1000000 AS sentiment_avg,
    min(sentiment) AS sentiment_min,
    countIf(outcome = 'escalated') AS escalations,
    countIf(outcome = 'unresolved') AS unresolved,
    touchpoints > 24 AS truncated,
    ended_at + toIntervalDay(gap_days) >= now64(3) AS is_open
FROM person_steps(person = {person:String}) AS steps
GROUP BY person_id, journey_id
COMMENT 'The rows of stitched_journeys of one person, at once: person_journeys(person = ''...'')';
