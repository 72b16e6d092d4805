/*select of person_touches*/
LIMIT {limit:UInt32}
SETTINGS max_threads = 1, date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0
