-- What was forgotten of a topic: by hash of the key, where.
SELECT customer_hash, before[{topic:String}].1 AS epoch, before[{topic:String}].2 AS partition, before[{topic:String}].3 AS position
FROM forgotten_log FINAL
WHERE mapContains(before, {topic:String})
