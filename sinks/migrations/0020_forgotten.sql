-- Ids are named in a table, and only until they are forgotten: a mutation keeps its text, a query log its parameters.
CREATE TABLE IF NOT EXISTS forget_requests /*on_cluster*/
(
    forget_id UUID COMMENT 'The command that asked for it',
    customer_id String COMMENT 'Key of the customer to forget' CODEC(ZSTD(1)),
    revision Int64 COMMENT 'Position in the log of touchpoints, numbered as revisions are, up to which all is forgotten',
    requested_at DateTime64(3, 'UTC') COMMENT 'When, UTC; alerts raised up to then are forgotten'
)
ENGINE = /*replicated*/MergeTree
PARTITION BY forget_id
ORDER BY customer_id
COMMENT 'Whom a command under way forgets: dropped when it is done, taken up again after it was killed';

CREATE TABLE IF NOT EXISTS forgotten_log /*on_cluster*/
(
    forget_id UUID COMMENT 'The command that did it',
    customer_hash FixedString(64) COMMENT 'HMAC-SHA256 of the Kafka key under the secret of this installation, hexadecimal',
    forgotten_at DateTime64(3, 'UTC') COMMENT 'When it was done, UTC',
    refuse_later Bool COMMENT 'True: later events of the customer are refused',
    before Map(String, Tuple(Int64, Int32, Int64)) COMMENT 'By topic: epoch, partition and the position before which all of the customer is forgotten',
    removed Map(String, UInt64) COMMENT 'By table: rows that the command removed or blanked, of all keys of the customer'
)
ENGINE = /*replicated*/ReplacingMergeTree(forgotten_at)
ORDER BY (customer_hash, forget_id)
COMMENT 'What was forgotten, without saying whose it was: query the view forgotten';
