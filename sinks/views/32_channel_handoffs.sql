-- The rows of handoffs, added up; for a Sankey whose flows never turn back, group handoffs by step as well.
CREATE OR REPLACE VIEW channel_handoffs /*on_cluster*/
(
    from_channel String COMMENT 'Channel before',
    to_channel String COMMENT 'Channel after',
    handoffs UInt64 COMMENT 'How often customers went from the one to the other',
    journeys UInt64 COMMENT 'Journeys of persons in which that happened',
    customers UInt64 COMMENT 'Persons who did',
    share Float64 COMMENT 'Of all hand-offs from from_channel, the share that went to to_channel, 0 to 1',
    within_visit UInt64 COMMENT 'Hand-offs within one visit: no longer apart than the gap between visits',
    between_ms_p50 Float64 COMMENT 'Time between the last touchpoint before and the first after, median, milliseconds',
    between_ms_p95 Float64 COMMENT 'The same, 95th percentile, milliseconds',
    converted UInt64 COMMENT 'Of journeys, those that converted at the touchpoint the hand-off led to, or later',
    conversion_rate Float64 COMMENT 'converted / journeys, 0 to 1'
)
AS SELECT
    from_channel,
    to_channel,
    count() AS handoffs,
    uniqExact(person_id, journey_started_at) AS journeys,
    uniqExact(person_id) AS customers,
    handoffs / sum(count()) OVER (PARTITION BY from_channel) AS share,
    countIf(hops.within_visit) AS within_visit,
    quantileExactInclusive(0.5)(between_ms) AS between_ms_p50,
    quantileExactInclusive(0.95)(between_ms) AS between_ms_p95,
    uniqExactIf((person_id, journey_started_at), hops.converted) AS converted,
    converted / journeys AS conversion_rate
FROM handoffs AS hops
GROUP BY from_channel, to_channel
ORDER BY handoffs DESC, from_channel, to_channel
COMMENT 'How the channels work together: from which to which customers go, how fast, and whether they convert afterwards';
