SELECT argMax(value, set_at) AS gap_days
FROM parameters
WHERE name = 'journey_gap_days'
SETTINGS max_threads = 1, output_format_json_quote_64bit_integers = 0
