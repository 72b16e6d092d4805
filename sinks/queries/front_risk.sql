-- The columns of person_standing that tell of the risk; one row for anybody.
SELECT
    anyOrNull(score) AS score,
    anyOrNull(level) AS level,
    any(reasons) AS reasons,
    anyOrNull(action) AS action,
    anyOrNull(scored_at) AS scored_at,
    (SELECT argMaxOrNullIf(as_of, revision, previous_level IS NULL OR previous_level != level) FROM risk_log FINAL WHERE customer_id = {person:String}) AS at_risk_since
FROM customers_log FINAL
PREWHERE customer_id = {person:String}
WHERE touchpoints > 0 -- as in view customers
SETTINGS max_threads = 1, date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0
