-- Asked for somebody's own customer_id it is theirs, whatever device is named alike. A shared device is nobody's (view
-- identities). The front desk takes the same steps one by one, and its answer is held equal by a test:
-- pipeline/console/front_desk.py.
CREATE OR REPLACE VIEW person_keys /*on_cluster*/
AS WITH
    {id:String} AS asked,
    if(startsWith(asked, 'anon:'), substring(asked, 6), asked) AS device,
    (
        SELECT seen AND NOT startsWith({id:String}, 'anon:')
        FROM customer_devices(customer = {id:String})
    ) AS is_customer,
    (SELECT max(owner) FROM device_owners(devices = [device]) WHERE NOT is_customer) AS owner,
    multiIf(is_customer, asked, owner != '', owner, concat('anon:', device)) AS person
SELECT person_id, keys
FROM customer_keys(customer = person) AS of_person
COMMENT 'Who an id belongs to, and all keys of that person, in one row whether they are known or not: person_keys(id = ''...'')';
