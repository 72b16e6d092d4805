-- When the first and the latest touchpoint happened, in UTC milliseconds, and how many there are. What the customers agent
-- would refuse (a time before 1970, or over 24 hours ahead) is left out.
SELECT
    toUnixTimestamp64Milli(min(occurred_at)),
    toUnixTimestamp64Milli(max(occurred_at)),
    count()
FROM touchpoints
WHERE occurred_at >= toDateTime64(0, 3, 'UTC') AND occurred_at <= received_at + toIntervalHour(24)
