-- Per key, from view journeys. A journey used the channels of its inbound touchpoints; one that used several counts for
-- each of them, so the rows of this view do not add up to the whole company.
CREATE OR REPLACE VIEW relationship_performance /*on_cluster*/
(
    relationship String COMMENT 'personal, dedicated, self_service, automated, community or co_creation; empty: the catalogue no longer knows the channel',
    channel String COMMENT 'Channel',
    customers UInt64 COMMENT 'Customers who used it',
    journeys UInt64 COMMENT 'Journeys that used it',
    first_contacts UInt64 COMMENT 'Acquisition: customers whose first journey began in it',
    acquired UInt64 COMMENT 'Of these, those who converted, then or later',
    acquisition_rate Nullable(Float64) COMMENT 'acquired / first_contacts, 0 to 1; null without first contacts',
    returned UInt64 COMMENT 'Retention: journeys that used it and were followed by another of the same customer',
    return_rate Nullable(Float64) COMMENT 'returned / journeys that are over, 0 to 1; null while none is',
    extra_sales UInt64 COMMENT 'Extra sales: journeys that used it and converted although the customer had converted in an earlier one',
    extra_values Map(String, Float64) COMMENT 'Sum of values of these journeys, by currency'
)
AS SELECT
    any(ifNull(facts.relationship, '')) AS relationship,
    channel,
    uniqExact(customer_id) AS customers,
    count() AS journeys,
    countIf(number = 1 AND first_channel = channel) AS first_contacts,
    countIf(number = 1 AND first_channel = channel AND conversions > 0) AS acquired,
    if(first_contacts = 0, NULL, acquired / first_contacts) AS acquisition_rate,
    countIf(number < of_all) AS returned,
    if(countIf(is_over) = 0, NULL, returned / countIf(is_over)) AS return_rate,
    countIf(is_extra) AS extra_sales,
    mapSort(mapApply(
        (name, amount) -> (name, amount / 10000),
        sumMapIf(mapApply((name, amount) -> (name, toInt128(round(amount * 10000))), values), is_extra)
    )) AS extra_values
FROM
(
    SELECT
        customer_id,
        first_channel,
        channels,
        values,
        row_number() OVER in_order AS number,
        count() OVER whole AS of_all,
        countIf(isNotNull(converted_at)) OVER whole AS conversions,
        isNotNull(converted_at) AND countIf(isNotNull(converted_at)) OVER in_order > 1 AS is_extra,
        number < of_all OR NOT is_open AS is_over
    FROM journeys
    WINDOW
        whole AS (PARTITION BY customer_id),
        in_order AS (PARTITION BY customer_id ORDER BY started_at ROWS UNBOUNDED PRECEDING)
) AS one
ARRAY JOIN channels AS channel
LEFT JOIN (SELECT channel, any(relationship) AS relationship FROM catalogue GROUP BY channel) AS facts USING (channel)
GROUP BY channel
ORDER BY relationship, channel
COMMENT 'What each type of relationship and each channel brings: acquisition, retention and extra sales';
