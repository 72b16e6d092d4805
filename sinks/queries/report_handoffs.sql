-- The most frequent pairs of channels; pairs: how many there are in all.
SELECT
    from_channel,
    to_channel,
    handoffs,
    journeys,
    customers,
    share,
    within_visit,
    between_ms_p50,
    conversion_rate,
    count() OVER () AS pairs
FROM channel_handoffs
ORDER BY handoffs DESC, from_channel, to_channel
LIMIT {rows:UInt32}
