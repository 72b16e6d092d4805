-- Of a table that has rows under a customer's key, each of a revision.
ALTER TABLE {table:Identifier} /*on_cluster*/
DELETE WHERE customer_id IN (SELECT customer_id FROM forget_requests WHERE forget_id = {forget_id:UUID})
    AND revision <= transform(
        customer_id,
        (SELECT groupArray(customer_id) FROM (SELECT * FROM forget_requests WHERE forget_id = {forget_id:UUID} ORDER BY customer_id)),
        (SELECT groupArray(revision) FROM (SELECT * FROM forget_requests WHERE forget_id = {forget_id:UUID} ORDER BY customer_id)),
        toInt64(-1))
SETTINGS mutations_sync = 2, allow_nondeterministic_mutations = 1
