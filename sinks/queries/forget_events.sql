-- Which of some event ids are those of a person's touchpoints.
SELECT DISTINCT toString(event_id)
FROM touchpoints_log
WHERE customer_id IN {keys:Array(String)} AND toString(event_id) IN {events:Array(String)}
