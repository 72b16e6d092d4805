-- A journey here is a person's: journeys of keys that active links (identities) stitch to one customer are joined where no
-- longer apart than the gap, as in stitched_journeys, so that who browses unknown and buys under a name does not drop out in
-- between. Late touchpoints are not in it until touchline rebuild has taken them in, as in view journeys. A stage counts as
-- left behind when a later stage was met at any time in the journey: a journey is no straight line. Reads journeys and
-- identities, once each.
CREATE OR REPLACE VIEW stage_conversion /*on_cluster*/
(
    position UInt8 COMMENT 'Place of the stage in a journey, from 1',
    stage String COMMENT 'Stage',
    journeys UInt64 COMMENT 'Journeys that met the stage',
    customers UInt64 COMMENT 'Persons who met it',
    went_on UInt64 COMMENT 'Of journeys, those that met a later stage too',
    went_on_rate Nullable(Float64) COMMENT 'went_on / journeys, 0 to 1; null without journeys',
    met_next UInt64 COMMENT 'Of journeys, those that met the very next stage',
    next_rate Nullable(Float64) COMMENT 'met_next / journeys, 0 to 1; null without journeys',
    dropped_out UInt64 COMMENT 'Of journeys, those over without having met a later stage or converted',
    drop_out_rate Nullable(Float64) COMMENT 'dropped_out / journeys, 0 to 1; null without journeys',
    still_open UInt64 COMMENT 'Of journeys, those that may still meet a later stage: neither over nor converted',
    converted UInt64 COMMENT 'Of journeys, those that converted, at whatever stage',
    conversion_rate Nullable(Float64) COMMENT 'converted / journeys, 0 to 1; null without journeys',
    dropped_in Map(String, UInt64) COMMENT 'Where those that dropped out were last seen: journeys by channel'
)
AS WITH
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'journey_gap_days')) AS gap_days,
    ['awareness', 'consideration', 'purchase', 'delivery', 'service', 'loyalty'] AS every_stage,
    has(places, position) AS met,
    met AND furthest = position AND NOT has_converted AS ends_here
SELECT
    position,
    every_stage[position] AS stage,
    countIf(met) AS journeys,
    uniqExactIf(person_id, met) AS customers,
    countIf(met AND furthest > position) AS went_on,
    if(journeys = 0, NULL, went_on / journeys) AS went_on_rate,
    countIf(met AND has(places, position + 1)) AS met_next,
    if(journeys = 0, NULL, met_next / journeys) AS next_rate,
    countIf(ends_here AND NOT is_open) AS dropped_out,
    if(journeys = 0, NULL, dropped_out / journeys) AS drop_out_rate,
    countIf(ends_here AND is_open) AS still_open,
    countIf(met AND has_converted) AS converted,
    if(journeys = 0, NULL, converted / journeys) AS conversion_rate,
    sumMapIf(map(last_channel, toUInt64(1)), ends_here AND NOT is_open) AS dropped_in
FROM
(
    SELECT
        person_id,
        arrayMap(stage -> indexOf(every_stage, stage), arrayFlatten(journey.3)) AS places,
        arrayMax(places) AS furthest,
        arrayExists(converted -> converted, journey.5) AS has_converted,
        arrayMax(journey.2) + toIntervalDay(gap_days) >= now64(3) AS is_open,
        arraySort(arrayZip(journey.2, journey.4))[-1].2 AS last_channel
    FROM
    (
        SELECT
            person_id,
            arraySort(groupArrayArray(spans)) AS steps,
            arraySplit(
                (span, ended_before) -> ended_before + toIntervalDay(gap_days) < span.1,
                steps,
                arrayMap(i -> arrayMax(arraySlice(steps.2, 1, greatest(i - 1, 1))), arrayEnumerate(steps))
            ) AS joined
        FROM
        (
            SELECT ifNull(nullIf(links.person_id, ''), found.key) AS person_id, found.spans AS spans
            FROM
            (
                SELECT
                    customer_id AS key,
                    groupArray((started_at, ended_at, stages, last_channel, isNotNull(converted_at))) AS spans
                FROM journeys
                GROUP BY customer_id
            ) AS found
            LEFT JOIN (SELECT key, person_id FROM person_links(person = '')) AS links ON links.key = found.key
        )
        GROUP BY person_id
    )
    ARRAY JOIN joined AS journey
)
ARRAY JOIN [1, 2, 3, 4, 5, 6] AS position
GROUP BY position
ORDER BY position
COMMENT 'Where customers drop out: how many journeys meet each stage, go on, convert, or end there';
