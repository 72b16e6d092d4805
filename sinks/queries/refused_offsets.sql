SELECT DISTINCT assumeNotNull(epoch), assumeNotNull(partition), assumeNotNull(offset)
FROM rejected_log
WHERE topic = {topic:String} AND isNotNull(epoch) AND isNotNull(partition) AND isNotNull(offset)
ORDER BY ALL
