-- What the last record of a range was, so that a log which was cut short or made anew, and has grown since, is not taken
-- for the one that landed. Entries from before have none.
ALTER TABLE landing_ledger /*on_cluster*/
    ADD COLUMN IF NOT EXISTS check_offset Int64 DEFAULT -1 COMMENT 'Offset of the last record of the range; -1: unknown, or the range holds none',
    ADD COLUMN IF NOT EXISTS check_digest UInt64 DEFAULT 0 COMMENT 'Digest of that record: eight bytes of BLAKE2b over its offset, timestamp, key and value';
