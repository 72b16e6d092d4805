-- Where touchpoints stand, in whatever partition, by what identifies them (see touchpoint_keys.sql), in hexadecimal.
SELECT lower(hex(substring(SHA256(concat(customer_id, '\0', toString(event_id))), 1, 16))) AS key, kafka_epoch, kafka_offset
FROM touchpoints_log FINAL
WHERE key IN {keys:Array(String)}
