-- The rows of moments_of_truth, added up by stage.
SELECT
    position,
    stage,
    any(stage_sentiment_avg) AS sentiment_avg,
    sum(moods) AS moods,
    sum(good) AS good,
    sum(bad) AS bad,
    sum(turned_good) AS turned_good,
    sum(turned_bad) AS turned_bad
FROM moments_of_truth
GROUP BY position, stage
ORDER BY position
