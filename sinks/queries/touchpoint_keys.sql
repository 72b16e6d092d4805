-- One row of 32 bytes per touchpoint, withdrawn ones among them: where it stands, and what identifies it, as half a SHA-256.
SELECT
    kafka_epoch,
    kafka_offset,
    toFixedString(substring(SHA256(concat(customer_id, '\0', toString(event_id))), 1, 16), 16)
FROM touchpoints_log FINAL
WHERE kafka_partition = {partition:Int32}
