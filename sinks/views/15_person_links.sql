-- The views person_... take a person and find their keys first, so that the primary key finds all the rest. An empty person
-- means everyone: that is what the views stitched_... ask for. Conditions on the parameter alone are decided before
-- anything is read.
-- Here the devices that can matter come first: those seen with the person, and those that corrections name. One that is
-- stitched to somebody else is among them, too: as a person, anon:<its id> then has nothing of its own.
CREATE OR REPLACE VIEW person_links /*on_cluster*/
AS SELECT
    concat('anon:', anonymous_id) AS key,
    customer_id AS person_id
FROM identities
WHERE status = 'active' AND ({person:String} = '' OR anonymous_id IN
(
    SELECT assumeNotNull(anonymous_id)
    FROM touchpoints
    WHERE customer_id = {person:String} AND isNotNull(touchpoints.anonymous_id)
    UNION ALL
    SELECT anonymous_id
    FROM identity_corrections_log
    WHERE customer_id = {person:String}
))
COMMENT 'Active links around one person: which key (key) is whose (person_id). person_links(person = ''...'')';
