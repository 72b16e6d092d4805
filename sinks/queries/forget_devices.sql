-- Where somebody else was seen with a device that is theirs no more (the link was taken back), the device's id goes.
ALTER TABLE touchpoints_log /*on_cluster*/
UPDATE anonymous_id = NULL
WHERE isNotNull(anonymous_id)
    AND concat('anon:', assumeNotNull(anonymous_id)) IN (SELECT customer_id FROM forget_requests WHERE forget_id = {forget_id:UUID})
    AND customer_id NOT IN (SELECT customer_id FROM forget_requests WHERE forget_id = {forget_id:UUID})
SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1
