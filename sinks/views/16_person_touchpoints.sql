-- In three parts: the person's own key, unless it is stitched to somebody else; the keys stitched to the one person; the
-- keys stitched to anyone, which joins, and which looks nothing up when one person is asked for.
-- An event_id under two keys of a person stays two touchpoints, as it is under the keys.
CREATE OR REPLACE VIEW person_touchpoints /*on_cluster*/
AS SELECT customer_id AS person_id, *
FROM touchpoints
WHERE ({person:String} = '' OR customer_id = {person:String})
    AND (({person:String} != '' AND NOT startsWith({person:String}, 'anon:'))
        OR customer_id NOT IN (SELECT key FROM person_links(person = {person:String})))
UNION ALL
SELECT {person:String} AS person_id, *
FROM touchpoints
WHERE {person:String} != ''
    AND customer_id IN (SELECT key FROM person_links(person = {person:String}) WHERE person_id = {person:String})
UNION ALL
SELECT links.person_id AS person_id, touchpoints.*
FROM touchpoints
INNER JOIN
(
    SELECT concat('anon:', anonymous_id) AS key, customer_id AS person_id
    FROM identities
    WHERE status = 'active' AND ({person:String} = '' OR anonymous_id IN (SELECT '' WHERE false))
) AS links ON touchpoints.customer_id = links.key
WHERE {person:String} = '' AND startsWith(touchpoints.customer_id, 'anon:')
COMMENT 'The rows of stitched_touchpoints of one person, at once: person_touchpoints(person = ''...'')';
