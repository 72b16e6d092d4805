SELECT partition, max(next_offset)
FROM landing_ledger
WHERE topic = {topic:String} AND epoch = {epoch:Int64}
GROUP BY partition
ORDER BY partition
