SELECT level, count() AS customers
FROM customers_at_risk
GROUP BY level
SETTINGS output_format_json_quote_64bit_integers = 0
