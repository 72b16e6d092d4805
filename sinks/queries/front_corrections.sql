-- The devices that somebody linked to a customer by hand, or parted from them: the candidates of customer_devices that no
-- touchpoint need show.
SELECT DISTINCT anonymous_id AS device
FROM identity_corrections_log
WHERE customer_id = {customer:String}
SETTINGS max_threads = 1
