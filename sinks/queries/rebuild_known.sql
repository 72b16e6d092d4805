-- The ids under which journeys and visits of one page of a rebuild are live now.
SELECT customer_id, 'journey' AS kind, toString(journey_id) AS id
FROM journeys
WHERE customer_id IN
(
    SELECT customer_id
    FROM rebuild_requests
    WHERE rebuild_id = {rebuild_id:UUID} AND customer_id > {after:String} AND customer_id <= {last:String}
)
UNION ALL
SELECT customer_id, 'visit' AS kind, toString(visit_id) AS id
FROM visits
WHERE customer_id IN
(
    SELECT customer_id
    FROM rebuild_requests
    WHERE rebuild_id = {rebuild_id:UUID} AND customer_id > {after:String} AND customer_id <= {last:String}
)
