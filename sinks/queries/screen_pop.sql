SELECT *
FROM screen_pop(customer_id = {id:String})
SETTINGS date_time_output_format = 'iso', output_format_json_quote_64bit_integers = 0
