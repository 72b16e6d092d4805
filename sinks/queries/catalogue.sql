SELECT channel, touchpoint, stage, direction, medium, ownership, reach, relationship, cost_per_touch
FROM catalogue_log FINAL
WHERE loaded_at = (SELECT max(loaded_at) FROM catalogue_log)
