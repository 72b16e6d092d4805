-- All keys of a person, given any of them: the customer, and the anonymous ids that are linked to this customer alone. An
-- id that several customers share is nobody's. Without a link, the given key alone.
WITH
    {key:String} AS asked_key,
    if(startsWith(asked_key, 'anon:'), substring(asked_key, 6), '') AS asked_device,
    (
        SELECT any(customer_id)
        FROM identities
        WHERE anonymous_id = asked_device AND status = 'active'
    ) AS owner_of_device,
    if(empty(owner_of_device), asked_key, owner_of_device) AS person
SELECT person AS customer_id
UNION DISTINCT
SELECT concat('anon:', anonymous_id)
FROM identities
WHERE status = 'active' AND customer_id = person AND NOT startsWith(person, 'anon:') AND anonymous_id IN
(
    SELECT assumeNotNull(anonymous_id)
    FROM touchpoints
    WHERE customer_id = person AND isNotNull(touchpoints.anonymous_id)
    UNION ALL
    SELECT anonymous_id
    FROM identity_corrections_log
    WHERE customer_id = person
)
