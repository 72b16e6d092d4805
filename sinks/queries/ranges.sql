SELECT topic, epoch, partition, first_offset, next_offset, rows, refused, worker
FROM landing_ledger
WHERE topic = {topic:String} AND ({epoch:Int64} < 0 OR epoch = {epoch:Int64})
ORDER BY epoch, partition, first_offset, next_offset
