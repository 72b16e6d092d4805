CREATE OR REPLACE VIEW stitched_visits /*on_cluster*/
(
    person_id String COMMENT 'The customer, or the key of somebody unknown',
    visit_id UUID COMMENT 'UUIDv5 of person and first touchpoint; for a person with one key, that of view visits',
    journey_id UUID COMMENT 'The journey it belongs to, in stitched_journeys',
    keys Array(String) COMMENT 'The customer_ids joined in it, sorted',
    started_at DateTime64(3, 'UTC') COMMENT 'First inbound touchpoint, UTC',
    ended_at DateTime64(3, 'UTC') COMMENT 'Last inbound touchpoint so far, UTC',
    touchpoints UInt64 COMMENT 'Inbound touchpoints, late ones too'
)
AS SELECT
    person_id,
    visit_id,
    journey_id,
    keys,
    started_at,
    ended_at,
    touchpoints
FROM person_visits(person = '') AS everyone
COMMENT 'Visits of a person across devices: no gap over 30 minutes (TOUCHLINE_VISIT_GAP_MINUTES)';
