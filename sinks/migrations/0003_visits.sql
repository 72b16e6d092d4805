CREATE TABLE IF NOT EXISTS visits_log /*on_cluster*/
(
    customer_id String COMMENT 'Key of the customer' CODEC(ZSTD(1)),
    visit_id UUID COMMENT 'UUIDv5 of customer and first touchpoint',
    journey_id UUID COMMENT 'The journey it belongs to',
    revision Int64 COMMENT 'Revision of the customer that changed it; the highest of a visit stands' CODEC(ZSTD(1)),
    withdrawn Bool COMMENT 'True: the visit was absorbed or renamed, and the other columns say nothing',
    started_at DateTime64(3, 'UTC') COMMENT 'First inbound touchpoint, UTC' CODEC(ZSTD(1)),
    ended_at DateTime64(3, 'UTC') COMMENT 'Last inbound touchpoint so far, UTC' CODEC(ZSTD(1)),
    touchpoints Int32 COMMENT 'Inbound touchpoints' CODEC(ZSTD(1)),
    kafka_epoch Int64 COMMENT 'Epoch of topic journeys' CODEC(ZSTD(1)),
    kafka_partition Int32 COMMENT 'Partition of topic journeys' CODEC(ZSTD(1)),
    kafka_offset Int64 COMMENT 'Offset of the journey that brought it' CODEC(ZSTD(1)),
    last_wins UInt128 MATERIALIZED bitOr(bitShiftLeft(toUInt128(revision), 1), toUInt128(NOT withdrawn)) COMMENT 'Grows with revision; within one, a visit that moved to another journey beats its withdrawal from the old one' CODEC(ZSTD(1))
)
ENGINE = /*replicated*/ReplacingMergeTree(last_wins)
ORDER BY (customer_id, visit_id)
SETTINGS non_replicated_deduplication_window = 1000
COMMENT 'Revisions of visits as they land, withdrawn ones among them: query the view visits';

-- When this view fails, the insert into journeys_log fails; the retry writes both again, which changes neither.
CREATE MATERIALIZED VIEW IF NOT EXISTS visits_from_journeys /*on_cluster*/ TO visits_log
(
    customer_id String COMMENT 'Key of the customer',
    visit_id UUID COMMENT 'UUIDv5 of customer and first touchpoint',
    journey_id UUID COMMENT 'The journey it belongs to',
    revision Int64 COMMENT 'Revision of the customer that changed it',
    withdrawn Bool COMMENT 'True: the visit was absorbed or renamed',
    started_at DateTime64(3, 'UTC') COMMENT 'First inbound touchpoint, UTC',
    ended_at DateTime64(3, 'UTC') COMMENT 'Last inbound touchpoint so far, UTC',
    touchpoints Int32 COMMENT 'Inbound touchpoints',
    kafka_epoch Int64 COMMENT 'Epoch of topic journeys',
    kafka_partition Int32 COMMENT 'Partition of topic journeys',
    kafka_offset Int64 COMMENT 'Offset of the journey that brought it'
)
AS SELECT
    customer_id,
    visit.visit_id AS visit_id,
    journey_id,
    revision,
    visit.withdrawn AS withdrawn,
    visit.started_at AS started_at,
    visit.ended_at AS ended_at,
    visit.touchpoints AS touchpoints,
    kafka_epoch,
    kafka_partition,
    kafka_offset
FROM journeys_log
ARRAY JOIN changed_visits AS visit
COMMENT 'Feeds visits_log from the changed_visits of journeys_log';
