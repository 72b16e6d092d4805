-- Asked for somebody's own customer_id it is theirs, whatever device is named alike. The devices of a person are
-- looked up first, and then who else was seen with them: a shared one is nobody's (view identities). Only so does a
-- primary key or the index by_anonymous_id find every row that is read.
CREATE OR REPLACE VIEW person_keys /*on_cluster*/
AS WITH
    {id:String} AS asked,
    (SELECT count() > 0 FROM touchpoints WHERE customer_id = {id:String}) AS has_touchpoints,
    has_touchpoints AND NOT startsWith(asked, 'anon:') AS is_customer,
    if(startsWith(asked, 'anon:'), substring(asked, 6), asked) AS device,
    (
        SELECT max(customer_id)
        FROM identities
        WHERE NOT is_customer AND anonymous_id = device AND status = 'active'
    ) AS owner,
    multiIf(is_customer, asked, owner != '', owner, concat('anon:', device)) AS person,
    (
        SELECT groupUniqArray(concat('anon:', anonymous_id))
        FROM identities
        WHERE status = 'active' AND customer_id = person AND anonymous_id IN
        (
            SELECT assumeNotNull(anonymous_id)
            FROM touchpoints
            WHERE customer_id = person AND isNotNull(touchpoints.anonymous_id)
            UNION ALL
            SELECT anonymous_id
            FROM identity_corrections_log
            WHERE customer_id = person
        )
    ) AS devices
SELECT person AS person_id, arraySort(arrayConcat([person], devices)) AS keys
COMMENT 'Who an id belongs to, and all keys of that person, in one row whether they are known or not: person_keys(id = ''...'')';
