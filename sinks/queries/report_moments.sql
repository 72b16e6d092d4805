-- Where the mood turns most often.
SELECT
    stage,
    channel,
    touchpoint,
    turned_bad,
    turned_good,
    change_avg,
    sentiment_avg,
    moods,
    customers
FROM moments_of_truth
WHERE turned_bad + turned_good > 0
ORDER BY turned_bad + turned_good DESC, moods DESC, channel, touchpoint
LIMIT {rows:UInt32}
