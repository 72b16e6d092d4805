CREATE OR REPLACE VIEW forgotten /*on_cluster*/
(
    forget_id UUID COMMENT 'The command that did it',
    forgotten_at DateTime64(3, 'UTC') COMMENT 'When it was done, UTC',
    keys UInt64 COMMENT 'Kafka keys that the customer had: the customer_id and the anonymous ids linked to it',
    refuse_later Bool COMMENT 'True: later events of the customer are refused',
    removed Map(String, UInt64) COMMENT 'By table: rows removed or blanked'
)
AS SELECT
    forget_id,
    max(forgotten_log.forgotten_at) AS forgotten_at,
    uniqExact(customer_hash) AS keys,
    max(forgotten_log.refuse_later) AS refuse_later,
    any(forgotten_log.removed) AS removed
FROM forgotten_log FINAL
GROUP BY forget_id
ORDER BY forgotten_at DESC
COMMENT 'The audit of deletions: what was forgotten when, without personal data';
