-- Every device that could be a customer's: those of customer_devices, and those that only what does not count any more was
-- seen with (a duplicate, a withdrawn import): device_owners knows. Without FINAL it answers first of all.
SELECT assumeNotNull(anonymous_id) AS device
FROM touchpoints_log
PREWHERE customer_id = {customer:String}
WHERE isNotNull(anonymous_id)
UNION DISTINCT
SELECT anonymous_id
FROM identity_corrections_log
WHERE customer_id = {customer:String}
SETTINGS max_threads = 1
