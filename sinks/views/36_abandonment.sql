-- The rows of attempts, added up. What is recovered within 7 days is not lost; what is younger than that and not recovered
-- is open. Money is added in whole ten-thousandths, each currency for itself; '' is that of those who did not say.
CREATE OR REPLACE VIEW abandonment /*on_cluster*/
(
    kind String COMMENT 'cart; checkout: a cart that came as far as the checkout; call; chat',
    channel String COMMENT 'Channel it was left in, or completed in',
    attempts UInt64 COMMENT 'Carts, checkouts, calls or chats that came to their end',
    customers UInt64 COMMENT 'Persons who made them',
    abandoned UInt64 COMMENT 'Attempts that were abandoned, be they recovered or not',
    abandonment_rate Float64 COMMENT 'abandoned / attempts, 0 to 1',
    recovered UInt64 COMMENT 'Of those abandoned, how many were made good within 7 days',
    lost UInt64 COMMENT 'Of those abandoned, how many were not',
    open UInt64 COMMENT 'Of those abandoned, how many still may be',
    recovery_rate Nullable(Float64) COMMENT 'recovered / (recovered + lost), 0 to 1; null where neither is',
    recovery_ms_p50 Nullable(Float64) COMMENT 'From abandoned to made good, median, milliseconds; null without any',
    values_abandoned Map(String, Float64) COMMENT 'Worth of the abandoned carts by currency',
    values_recovered Map(String, Float64) COMMENT 'Of that, what was made good: the worth of the cart left, not of the purchase',
    values_lost Map(String, Float64) COMMENT 'Of that, what is lost',
    values_unknown UInt64 COMMENT 'Abandoned carts and checkouts whose worth nobody said'
)
AS WITH
    (currency, value) -> map(ifNull(currency, ''), toInt128(round(ifNull(value, 0) * 10000))) AS money,
    sums -> mapSort(mapApply((currency, amount) -> (currency, amount / 10000), sums)) AS decimal
SELECT
    kind,
    channel,
    count() AS attempts,
    uniqExact(person_id) AS customers,
    countIf(tries.abandoned) AS abandoned,
    abandoned / attempts AS abandonment_rate,
    countIf(isNotNull(recovered_at)) AS recovered,
    countIf(tries.lost) AS lost,
    toUInt64(abandoned - recovered - lost) AS open,
    if(recovered + lost = 0, NULL, recovered / (recovered + lost)) AS recovery_rate,
    quantileExactInclusiveOrNull(0.5)(dateDiff('millisecond', ended_at, recovered_at)) AS recovery_ms_p50,
    decimal(sumMapIf(money(currency, value), tries.abandoned AND isNotNull(value))) AS values_abandoned,
    decimal(sumMapIf(money(currency, value), isNotNull(recovered_at) AND isNotNull(value))) AS values_recovered,
    decimal(sumMapIf(money(currency, value), tries.lost AND isNotNull(value))) AS values_lost,
    countIf(tries.abandoned AND isNull(value) AND kind IN ('cart', 'checkout')) AS values_unknown
FROM attempts AS tries
GROUP BY kind, channel
ORDER BY kind, abandoned DESC, channel
COMMENT 'Which carts, checkouts, calls and chats are abandoned, which are recovered later, and what is lost with the others';
