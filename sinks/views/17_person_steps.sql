-- Silence is measured from the touchpoint before; a distance equal to a gap still merges, as in the customers agent. Ties
-- go by event_id in the order of its text, which is not how ClickHouse orders UUIDs. What the agent would refuse (a time
-- before 1970, or over 24 hours ahead) is left out; what came too late for it (late_touchpoints) is in, since a view sees
-- all. The ids are derived from person and first touchpoint just as the agent's are from key and first touchpoint
-- (pipeline/rows.py), so that a person with one key and nothing late has the very visits and journeys of that key.
CREATE OR REPLACE VIEW person_steps /*on_cluster*/
AS WITH
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'visit_gap_minutes')) AS visit_gap_minutes,
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'journey_gap_days')) AS journey_gap_days,
    digest -> toUUID(format(
        '{}-{}-5{}-{}{}-{}',
        substring(digest, 1, 8),
        substring(digest, 9, 4),
        substring(digest, 14, 3),
        substring('89ab', bitAnd(reinterpretAsUInt8(unhex(substring(digest, 17, 1))), 3) + 1, 1),
        substring(digest, 18, 3),
        substring(digest, 21, 12)
    )) AS uuid_of,
    (kind, person, id) -> uuid_of(lower(hex(SHA1(
        concat(unhex('a9b5b3de6f9b5d578a700d8f1c0e6b52'), kind, '\0', person, '\0', id)
    )))) AS version_5
SELECT
    * EXCEPT (place, before, opens_journey, opens_visit),
    row_number() OVER in_order AS position,
    anyLast(if(opens_journey, version_5('journey', person_id, place.2), NULL)) OVER in_order AS journey_id,
    anyLast(if(opens_visit, version_5('visit', person_id, place.2), NULL)) OVER in_order AS visit_id
FROM
(
    SELECT
        person_id,
        (occurred_at, UUIDToNum(event_id), customer_id) AS place,
        event_id,
        customer_id,
        occurred_at,
        channel,
        touchpoint,
        stage,
        outcome,
        sentiment,
        value,
        currency,
        lagInFrame(toNullable(occurred_at)) OVER (PARTITION BY person_id ORDER BY place) AS before,
        ifNull(before + toIntervalDay(journey_gap_days) < occurred_at, true) AS opens_journey,
        opens_journey OR ifNull(before + toIntervalMinute(visit_gap_minutes) < occurred_at, true) AS opens_visit
    FROM person_touchpoints(person = {person:String})
    WHERE direction = 'inbound'
        AND occurred_at >= toDateTime64(0, 3, 'UTC')
        AND occurred_at <= received_at + toIntervalHour(24)
)
WINDOW in_order AS (PARTITION BY person_id ORDER BY place ROWS UNBOUNDED PRECEDING)
COMMENT 'Inbound touchpoints of a person in order, each with its visit and journey: person_steps(person = ''...'')';
