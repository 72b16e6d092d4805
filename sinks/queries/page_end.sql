-- The last customer of a page of about that many touchpoints: read in the order of the key, without FINAL, so that it
-- costs no more than the page. No row: what is left is the last page.
SELECT customer_id
FROM touchpoints_log
WHERE customer_id > {after:String}
ORDER BY customer_id
LIMIT 1 OFFSET {rows:UInt32}
