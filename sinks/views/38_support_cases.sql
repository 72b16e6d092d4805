-- A case is what one person contacts the company about: all touchpoints of service with the same reference, in whatever
-- channel; without a reference, those in one channel with no gap longer than the gap between visits. The customer opens it:
-- what the company did without being asked is none. Touchpoints of service are all of phone, live_chat and helpdesk, and
-- those of stage service of email, social, in_store, self_service and community; the menu in front of a call
-- (self_service.ivr) only where it resolved something.
-- A contact is a run of inbound touchpoints of a case in one channel with no gap longer than the gap between visits; what
-- only ends or passes on a contact (chat_end, ticket_escalated, solution_accepted, ...) is none where there is another. The
-- result is what was said last: resolved, unresolved, escalated, abandoned or failed, be it by the outcome or by the
-- touchpoint (ticket_resolved, ticket_escalated, ...). Repeated is a case with another contact within 7 days of the one
-- before, or, where it or the other has no reference, with another case opened within 7 days of its end; looking something
-- up afterwards (self_service, community) is not repeating.
-- Works per person, across the devices that active links (identities) stitch. Late touchpoints count. Reads the touchpoints
-- of service once, and identities once.
CREATE OR REPLACE VIEW support_cases /*on_cluster*/
(
    person_id String COMMENT 'The customer, also by an active link of view identities; else the key itself',
    reference Nullable(String) COMMENT 'Order, ticket or thread that ties the case together; null: one contact without any',
    opened_at DateTime64(3, 'UTC') COMMENT 'First inbound touchpoint, UTC',
    ended_at DateTime64(3, 'UTC') COMMENT 'Last touchpoint so far, UTC',
    channel String COMMENT 'Channel it was opened in',
    channels Array(String) COMMENT 'Channels the customer used for it, in order of first use',
    contacts UInt64 COMMENT 'Times the customer made contact about it',
    hops UInt64 COMMENT 'Changes of channel by the customer',
    result String COMMENT 'What was said last: resolved, unresolved, escalated, abandoned or failed; unknown when nothing was',
    resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was resolved for good, UTC; null: it is not',
    escalated Bool COMMENT 'True: it was escalated at some time',
    repeated Bool COMMENT 'True: the customer had to come again within 7 days',
    first_contact_resolution Bool COMMENT 'True: resolved, in one contact, neither escalated nor repeated',
    wait_ms Nullable(Int64) COMMENT 'The longest wait that was recorded for it, milliseconds; null: none was',
    waits Array(Tuple(channel String, wait_ms Int64)) COMMENT 'Every recorded wait in order: channel, milliseconds'
)
AS WITH
    assumeNotNull((SELECT argMax(value, set_at) FROM parameters WHERE name = 'visit_gap_minutes')) AS visit_gap_minutes
SELECT
    person_id,
    nullIf(found.reference, '') AS reference,
    found.opened_at AS opened_at,
    found.ended_at AS ended_at,
    found.channels[1] AS channel,
    arrayDistinct(found.channels) AS channels,
    found.contacts AS contacts,
    toUInt64(length(arrayCompact(found.channels)) - 1) AS hops,
    if(found.results = [], 'unknown', found.results[-1].2) AS result,
    if(
        result = 'resolved',
        found.results[arrayLastIndex(said -> said.2 != 'resolved', found.results) + 1].1,
        NULL
    ) AS resolved_at,
    toBool(has(found.results.2, 'escalated')) AS escalated,
    found.came_again OR arrayExists(
        other -> other.opened_at > found.opened_at
            AND other.opened_at <= found.ended_at + toIntervalDay(7)
            AND (other.reference = '' OR found.reference = '')
            AND other.channels[1] NOT IN ('self_service', 'community'),
        every_case
    ) AS repeated,
    result = 'resolved' AND contacts = 1 AND NOT escalated AND NOT repeated AS first_contact_resolution,
    if(found.waits = [], NULL, arrayMax(found.waits.2)) AS wait_ms,
    found.waits AS waits
FROM
(
    SELECT
        person_id,
        groupArray(CAST(
            (reference, inbound[1].1, steps[-1].1, inbound.3, length(contacts), came_again, results, waits),
            'Tuple(
                reference String, opened_at DateTime64(3, ''UTC''), ended_at DateTime64(3, ''UTC''),
                channels Array(String), contacts UInt64, came_again Bool,
                results Array(Tuple(DateTime64(3, ''UTC''), String)), waits Array(Tuple(channel String, wait_ms Int64))
            )'
        )) AS every_case
    FROM
    (
        SELECT
            person_id,
            reference,
            steps,
            arrayFilter(touch -> touch.4, steps) AS asked,
            if(asked = [], arrayFilter(touch -> touch.7, steps), asked) AS inbound,
            arraySplit(
                (touch, before) -> touch.3 != before.3 OR before.1 + toIntervalMinute(visit_gap_minutes) < touch.1,
                inbound,
                arraySlice(arrayPushFront(inbound, inbound[1]), 1, length(inbound))
            ) AS contacts,
            arrayExists(
                (contact, before) -> before[-1].1 < contact[1].1
                    AND contact[1].1 <= before[-1].1 + toIntervalDay(7),
                contacts,
                arraySlice(arrayPushFront(contacts, contacts[1]), 1, length(contacts))
            ) AS came_again,
            arrayMap(touch -> (touch.1, touch.5), arrayFilter(touch -> touch.5 != '', steps)) AS results,
            arrayMap(touch -> (touch.3, assumeNotNull(touch.6)), arrayFilter(touch -> isNotNull(touch.6), steps)) AS waits
        FROM
        (
            SELECT
                ifNull(nullIf(links.person_id, ''), found.key) AS person_id,
                found.reference AS reference,
                arraySort(groupArrayArray(found.touches)) AS all_steps,
                if(
                    reference != '',
                    [all_steps],
                    arraySplit(
                        (touch, before) -> before.1 + toIntervalMinute(visit_gap_minutes) < touch.1,
                        all_steps,
                        arrayPushFront(arrayPopBack(all_steps), all_steps[1])
                    )
                ) AS cases
            FROM
            (
                SELECT
                    customer_id AS key,
                    ifNull(touchpoints.reference, '') AS reference,
                    if(reference = '', channel, '') AS place,
                    groupArray((
                        occurred_at,
                        UUIDToNum(event_id),
                        channel,
                        direction = 'inbound' AND touchpoint NOT IN (
                            'chat_end', 'chat_handover', 'ticket_escalated', 'supervisor_involved', 'solution_accepted', 'moderation'
                        ),
                        multiIf(
                            outcome IN ('resolved', 'unresolved', 'escalated', 'abandoned', 'failed'), assumeNotNull(outcome),
                            touchpoint IN ('ticket_resolved', 'solution_accepted'), 'resolved',
                            touchpoint IN ('ticket_escalated', 'supervisor_involved'), 'escalated',
                            touchpoint = 'ticket_reopened', 'unresolved',
                            touchpoint IN ('call_abandon', 'chat_abandon', 'ivr_abandon'), 'abandoned',
                            ''
                        ),
                        touchpoints.wait_ms,
                        direction = 'inbound'
                    )) AS touches
                FROM touchpoints
                WHERE (
                    channel IN ('phone', 'live_chat', 'helpdesk')
                    OR (stage = 'service' AND channel IN ('email', 'social', 'in_store', 'self_service', 'community'))
                ) AND (touchpoint != 'ivr' OR ifNull(outcome, '') = 'resolved')
                GROUP BY key, reference, place
            ) AS found
            LEFT JOIN (SELECT key, person_id FROM person_links(person = '')) AS links ON links.key = found.key
            GROUP BY person_id, found.reference, found.place
        )
        ARRAY JOIN cases AS steps
        WHERE arrayExists(touch -> touch.7, steps)
    )
    GROUP BY person_id
)
ARRAY JOIN every_case AS found
COMMENT 'Every matter a customer contacted the company about: contacts, channels, waits, and how it ended';
