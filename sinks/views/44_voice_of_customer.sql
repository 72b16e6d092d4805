-- Per touchpoint: each answer counts, also two of one customer. An answer belongs to the channel and stage of its own
-- touchpoint, which an adapter sets to what was rated where it is known (a survey about a call: phone, service).
CREATE OR REPLACE VIEW voice_of_customer /*on_cluster*/
(
    week Date COMMENT 'Monday of the week of the answers, UTC',
    channel String COMMENT 'Channel of the answers',
    stage String COMMENT 'Stage of the answers',
    answers UInt64 COMMENT 'Answers of all three kinds',
    customers UInt64 COMMENT 'Customers who answered',
    nps_answers UInt64 COMMENT 'Answers to NPS, 0 to 10',
    promoters UInt64 COMMENT 'Of these, 9 and above',
    passives UInt64 COMMENT 'Of these, between detractors and promoters: 7 and 8',
    detractors UInt64 COMMENT 'Of these, up to 6',
    nps Nullable(Float64) COMMENT 'Net promoter score, -100 to 100: the share of promoters less that of detractors; null without answers',
    csat_answers UInt64 COMMENT 'Answers to CSAT, 1 to 5',
    satisfied UInt64 COMMENT 'Of these, 4 and 5',
    csat Nullable(Float64) COMMENT 'Share of the satisfied, 0 to 1; null without answers',
    ces_answers UInt64 COMMENT 'Answers to CES, 1 to 7',
    ces Nullable(Float64) COMMENT 'Mean of CES: how easy it was, 7 the easiest; null without answers'
)
AS SELECT
    toMonday(occurred_at) AS week,
    channel,
    stage,
    count() AS answers,
    uniqExact(customer_id) AS customers,
    countIf(rating_metric = 'nps') AS nps_answers,
    countIf(rating_metric = 'nps' AND rating_score >= 9) AS promoters,
    nps_answers - promoters - detractors AS passives,
    countIf(rating_metric = 'nps' AND rating_score <= 6) AS detractors,
    if(nps_answers = 0, NULL, 100 * (toInt64(promoters) - toInt64(detractors)) / nps_answers) AS nps,
    countIf(rating_metric = 'csat') AS csat_answers,
    countIf(rating_metric = 'csat' AND rating_score >= 4) AS satisfied,
    if(csat_answers = 0, NULL, satisfied / csat_answers) AS csat,
    countIf(rating_metric = 'ces') AS ces_answers,
    avgOrNullIf(rating_score, rating_metric = 'ces') AS ces
FROM touchpoints
WHERE isNotNull(rating_metric) AND isNotNull(rating_score)
GROUP BY week, channel, stage
ORDER BY week, channel, stage
COMMENT 'What customers say when asked: NPS, CSAT and CES by channel, stage and week, with counts';
