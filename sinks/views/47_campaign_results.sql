-- Per key. Everything that names a campaign belongs to it: mails, advertisements, offers, webinars, links. A conversion
-- (outcome converted) within 7 days after an inbound touchpoint of a campaign, or in one itself, is the campaign's; of
-- several campaigns it is that of the last such touchpoint before it, so that no conversion counts twice. What was only
-- sent and never responded to leads to nothing.
CREATE OR REPLACE VIEW campaign_results /*on_cluster*/
(
    campaign String COMMENT 'The campaign',
    channels Array(String) COMMENT 'Channels it was seen in, sorted',
    kinds Array(String) COMMENT 'What it was, sorted: email, advertising, offer, event, link or other',
    first_at DateTime64(3, 'UTC') COMMENT 'First touchpoint, UTC',
    last_at DateTime64(3, 'UTC') COMMENT 'Last touchpoint, UTC',
    customers UInt64 COMMENT 'Customers with any touchpoint of it',
    sent UInt64 COMMENT 'Customers to whom something was sent or shown: mail, offer, advertisement, recommendation',
    bounced UInt64 COMMENT 'Customers whom a mail did not reach',
    opened UInt64 COMMENT 'Customers who opened or viewed it',
    clicked UInt64 COMMENT 'Customers who clicked, scanned, or landed on its page',
    responded UInt64 COMMENT 'Customers who did what it asked for: registered, came, redeemed, left their data, replied, bought',
    unsubscribed UInt64 COMMENT 'Customers who unsubscribed or reported spam',
    converted UInt64 COMMENT 'Customers who converted within 7 days after their last response',
    conversions UInt64 COMMENT 'These conversions',
    conversion_rate Nullable(Float64) COMMENT 'converted / customers, 0 to 1',
    values Map(String, Float64) COMMENT 'Sum of values of these conversions, by currency'
)
AS SELECT
    touched.*,
    ifNull(won.converted, 0) AS converted,
    ifNull(won.conversions, 0) AS conversions,
    converted / customers AS conversion_rate,
    won.values AS values
FROM
(
    SELECT
        assumeNotNull(touchpoints.campaign) AS campaign,
        arraySort(groupUniqArray(channel)) AS channels,
        arraySort(groupUniqArray(transform(
            channel,
            ['email', 'advertising', 'loyalty', 'event', 'link'],
            ['email', 'advertising', 'offer', 'event', 'link'],
            'other'
        ))) AS kinds,
        min(occurred_at) AS first_at,
        max(occurred_at) AS last_at,
        uniqExact(customer_id) AS customers,
        uniqExactIf(customer_id, direction = 'outbound' AND touchpoint NOT IN ('bounce', 'delivered')) AS sent,
        uniqExactIf(customer_id, channel = 'email' AND touchpoint = 'bounce') AS bounced,
        uniqExactIf(customer_id, touchpoint IN ('open', 'push_open', 'video_view')) AS opened,
        uniqExactIf(customer_id, touchpoint IN (
            'click', 'ad_click', 'link_click', 'qr_scan', 'landing_page', 'recommendation_click'
        )) AS clicked,
        uniqExactIf(customer_id, ifNull(outcome = 'converted', false) OR touchpoint IN (
            'webinar_registered', 'webinar_attended', 'seminar', 'customer_event', 'offer_redeemed', 'points_redeemed',
            'referral', 'lead', 'form_submit', 'reply', 'purchase'
        )) AS responded,
        uniqExactIf(customer_id, touchpoint IN ('unsubscribe', 'spam_report')) AS unsubscribed
    FROM touchpoints
    WHERE isNotNull(touchpoints.campaign)
    GROUP BY campaign
) AS touched
LEFT JOIN
(
    SELECT
        response.campaign AS campaign,
        uniqExact(conversion.customer_id) AS converted,
        count() AS conversions,
        mapSort(mapApply(
            (name, amount) -> (name, amount / 10000),
            sumMapIf(
                map(ifNull(conversion.currency, ''), toInt128(round(ifNull(conversion.value, 0) * 10000))),
                isNotNull(conversion.value)
            )
        )) AS values
    FROM
    (
        SELECT customer_id, occurred_at, value, currency
        FROM touchpoints
        WHERE outcome = 'converted'
    ) AS conversion
    ASOF INNER JOIN
    (
        SELECT customer_id, occurred_at, argMax(assumeNotNull(touchpoints.campaign), event_id) AS campaign
        FROM touchpoints
        WHERE isNotNull(touchpoints.campaign) AND direction = 'inbound'
            AND touchpoint NOT IN ('unsubscribe', 'spam_report')
        GROUP BY customer_id, occurred_at
    ) AS response
        ON response.customer_id = conversion.customer_id AND conversion.occurred_at >= response.occurred_at
    WHERE conversion.occurred_at <= response.occurred_at + toIntervalDay(7)
    GROUP BY campaign
) AS won ON won.campaign = touched.campaign
ORDER BY campaign
COMMENT 'What a campaign, an offer, a webinar or a link led to, up to conversions within 7 days';
