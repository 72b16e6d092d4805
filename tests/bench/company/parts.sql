SELECT
    table,
    toInt64(sum(rows)) AS rows,
    toInt64(count()) AS parts,
    round(sum(bytes_on_disk) / 1e6, 1) AS mb
FROM system.parts
WHERE database = 'touchline' AND active AND table IN ('touchpoints_log', 'journeys_log', 'visits_log', 'customers_log', 'risk_log')
GROUP BY table
ORDER BY table
FORMAT JSONEachRow
SETTINGS output_format_json_quote_64bit_integers = 0
