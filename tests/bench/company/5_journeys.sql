-- Inbound touchpoints with no gap over 14 days. One journey in twenty has an older revision before it; one in a hundred
-- was withdrawn. Their visits come with them, through changed_visits, as in the topic.
INSERT INTO journeys_log
(
    customer_id, journey_id, revision, withdrawn, started_at, ended_at, visits, touchpoints, channels, stages, path,
    first_channel, last_channel, converted_at, value, currency, values, sentiment_avg, sentiment_min, escalations,
    unresolved, truncated, changed_visits, kafka_epoch, kafka_partition, kafka_offset
)
WITH
    (owner, kind, first) -> reinterpretAsUUID(sipHash128(owner, kind, first)) AS id_of,
    (steps, gap) -> arraySplit((step, before) -> step.1 > before.1 + gap, steps, arrayPushFront(arrayPopBack(steps), steps[1])) AS split
SELECT
    customer_id,
    id_of(customer_id, 'journey', steps[1].2),
    steps[-1].9 + older AS revision,
    older = 1 AND sipHash64(customer_id, steps[1].2) % 100 = 0,
    steps[1].1,
    steps[-1].1,
    length(visits),
    length(steps),
    arraySort(arrayDistinct(steps.3)),
    arraySort(arrayDistinct(steps.5)),
    arraySlice(arrayMap(step -> concat(step.3, '.', step.4), steps), 1, 24),
    steps[1].3,
    steps[-1].3,
    if(arrayExists(step -> step.6 = 'converted', steps), arrayFirst(step -> step.6 = 'converted', steps).1, NULL),
    if(empty(paid), NULL, arraySum(step -> assumeNotNull(step.8), paid)),
    if(empty(paid), NULL, assumeNotNull(paid[1].10)),
    if(empty(paid), map(), map(assumeNotNull(paid[1].10), arraySum(step -> assumeNotNull(step.8), paid))),
    if(empty(moods), NULL, arrayAvg(moods)),
    if(empty(moods), NULL, arrayMin(moods)),
    arrayCount(step -> step.6 = 'escalated', steps),
    arrayCount(step -> step.6 = 'unresolved', steps),
    length(steps) > 24,
    arrayMap(visit -> (id_of(customer_id, 'visit', visit[1].2), visit[1].1, visit[-1].1, toInt32(length(visit)), false), visits),
    1,
    toInt32(sipHash64(customer_id) % 12),
    revision
FROM
(
    SELECT
        customer_id,
        steps,
        split(steps, 1800) AS visits,
        arrayFilter(step -> isNotNull(step.8) AND ifNull(step.6, '') != 'failed', steps) AS paid,
        arrayMap(mood -> assumeNotNull(mood), arrayFilter(mood -> isNotNull(mood), steps.7)) AS moods,
        arrayJoin(if(sipHash64(customer_id, steps[1].2) % 20 = 0, [0, 1], [0])) AS older
    FROM
    (
        SELECT
            customer_id,
            arraySort(groupArray((
                occurred_at, event_id, channel, touchpoint, stage, outcome, sentiment, value, kafka_offset, currency
            ))) AS all_steps,
            arrayJoin(split(all_steps, 14 * 86400)) AS steps
        FROM touchpoints_log FINAL
        WHERE direction = 'inbound' AND customer_id >= {from:String} AND customer_id < {until:String}
        GROUP BY customer_id
    )
);
