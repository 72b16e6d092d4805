-- Distinct offsets, without FINAL: what a merge has taken away is a duplicate, which the audit then looks up.
SELECT uniqExact(kafka_offset)
FROM touchpoints_log
WHERE kafka_epoch = {epoch:Int64} AND kafka_partition = {partition:Int32}
    AND kafka_offset >= {first:Int64} AND kafka_offset < {end:Int64}
