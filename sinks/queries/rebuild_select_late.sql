INSERT INTO rebuild_requests (rebuild_id, customer_id)
SELECT DISTINCT {rebuild_id:UUID}, customer_id
FROM late_touchpoints
WHERE {import_id:String} = '' OR import_id = {import_id:String}
