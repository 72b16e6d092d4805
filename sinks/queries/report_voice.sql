-- The rows of voice_of_customer, added up by week; the latest weeks.
SELECT
    week,
    sum(voice.answers) AS answers,
    sum(voice.nps_answers) AS nps_answers,
    sum(voice.promoters) AS promoters,
    sum(voice.passives) AS passives,
    sum(voice.detractors) AS detractors,
    if(nps_answers = 0, NULL, 100 * (toInt64(promoters) - toInt64(detractors)) / nps_answers) AS nps,
    sum(voice.csat_answers) AS csat_answers,
    sum(voice.satisfied) AS satisfied,
    if(csat_answers = 0, NULL, satisfied / csat_answers) AS csat,
    sum(voice.ces_answers) AS ces_answers,
    if(ces_answers = 0, NULL, sum(voice.ces * voice.ces_answers) / ces_answers) AS ces
FROM voice_of_customer AS voice
GROUP BY week
ORDER BY week DESC
LIMIT {rows:UInt32}
