-- When the latest touchpoint happened, in UTC milliseconds, 0 without any. What the customers agent would refuse (over
-- 24 hours ahead) is left out.
SELECT toUnixTimestamp64Milli(max(occurred_at))
FROM touchpoints
WHERE occurred_at <= received_at + toIntervalHour(24)
