INSERT INTO rebuild_requests (rebuild_id, customer_id)
SELECT DISTINCT {rebuild_id:UUID}, customer_id
FROM touchpoints_log
