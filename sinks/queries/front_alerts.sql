-- What the alert columns of person_standing are made of.
SELECT alert_id, level, raised_at, score, status, about, attempted_at, by, until
FROM alerts_log FINAL
WHERE customer_id = {person:String} AND status IN ('raised', 'over', 'acknowledged', 'snoozed')
SETTINGS max_threads = 1, date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0
