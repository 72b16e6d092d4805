-- By partition and epoch, from the one given on: the first offset not landed yet, and the last record known before it.
SELECT
    partition,
    epoch,
    max(next_offset),
    max(check_offset),
    argMax(check_digest, check_offset)
FROM landing_ledger
WHERE topic = {topic:String} AND epoch >= {epoch:Int64}
GROUP BY partition, epoch
ORDER BY partition, epoch
