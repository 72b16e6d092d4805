-- A journey here is a person's: the touchpoints of all keys that active links (identities) stitch to one customer, cut
-- where the silence is longer than the gap, as in stitched_journeys. Late touchpoints count. Reads touchpoints once, sorted
-- within each customer, and identities once.
CREATE OR REPLACE VIEW handoffs /*on_cluster*/
(
    person_id String COMMENT 'The customer, also by an active link of view identities; else the key itself',
    journey_started_at DateTime64(3, 'UTC') COMMENT 'First touchpoint of the journey, UTC; with person_id it names the journey',
    step UInt32 COMMENT 'Which change of channel of the journey, from 1',
    from_channel String COMMENT 'Channel before',
    to_channel String COMMENT 'Channel after',
    left_at DateTime64(3, 'UTC') COMMENT 'Last touchpoint in the channel before, UTC',
    arrived_at DateTime64(3, 'UTC') COMMENT 'First touchpoint in the channel after, UTC',
    between_ms Int64 COMMENT 'Time between the two, milliseconds',
    within_visit Bool COMMENT 'True: no longer than the gap between visits, so it was one going from channel to channel',
    converted Bool COMMENT 'True: the journey converted when it arrived or later'
)
AS WITH
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'visit_gap_minutes')) AS visit_gap_minutes,
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'journey_gap_days')) AS journey_gap_days
SELECT
    person_id,
    journey[1].1 AS journey_started_at,
    step,
    journey[place - 1].3 AS from_channel,
    journey[place].3 AS to_channel,
    journey[place - 1].1 AS left_at,
    journey[place].1 AS arrived_at,
    toUnixTimestamp64Milli(arrived_at) - toUnixTimestamp64Milli(left_at) AS between_ms,
    toBool(left_at + toIntervalMinute(visit_gap_minutes) >= arrived_at) AS within_visit,
    toBool(place <= arrayLastIndex(touch -> touch.4, journey)) AS converted
FROM
(
    SELECT person_id, journey, arrayFilter(i -> i > 1 AND journey[i].3 != journey[i - 1].3, arrayEnumerate(journey)) AS places
    FROM
    (
        SELECT
            person_id,
            arraySort(groupArrayArray(touches)) AS steps,
            arraySplit(
                (touch, before) -> before + toIntervalDay(journey_gap_days) < touch.1,
                steps,
                arrayPushFront(arrayPopBack(steps.1), steps[1].1)
            ) AS journeys
        FROM
        (
            SELECT ifNull(nullIf(links.person_id, ''), found.key) AS person_id, found.touches AS touches
            FROM
            (
                SELECT
                    customer_id AS key,
                    groupArray((occurred_at, UUIDToNum(event_id), channel, ifNull(outcome = 'converted', false))) AS touches
                FROM touchpoints
                WHERE direction = 'inbound'
                    AND occurred_at >= toDateTime64(0, 3, 'UTC')
                    AND occurred_at <= received_at + toIntervalHour(24)
                GROUP BY customer_id
            ) AS found
            LEFT JOIN (SELECT key, person_id FROM person_links(person = '')) AS links ON links.key = found.key
        )
        GROUP BY person_id
    )
    ARRAY JOIN journeys AS journey
)
ARRAY JOIN places AS place, arrayEnumerate(places) AS step
COMMENT 'Every change of channel within a journey of a person, across devices';
