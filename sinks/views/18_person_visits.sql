CREATE OR REPLACE VIEW person_visits /*on_cluster*/
AS SELECT
    person_id,
    assumeNotNull(visit_id) AS visit_id,
    assumeNotNull(any(journey_id)) AS journey_id,
    arraySort(groupUniqArray(customer_id)) AS keys,
    min(occurred_at) AS started_at,
    max(occurred_at) AS ended_at,
    count() AS touchpoints
FROM person_steps(person = {person:String})
GROUP BY person_id, visit_id
COMMENT 'The rows of stitched_visits of one person, at once: person_visits(person = ''...'')';
