SELECT channel, touchpoint, stage, touchpoints, customers, share, last_used_at
FROM touchpoint_usage
WHERE touchpoints > 0
LIMIT {rows:UInt32}
