ALTER TABLE alerts_log /*on_cluster*/
DELETE WHERE customer_id IN (SELECT customer_id FROM forget_requests WHERE forget_id = {forget_id:UUID})
    AND raised_at <= (SELECT max(requested_at) FROM forget_requests WHERE forget_id = {forget_id:UUID})
SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1
