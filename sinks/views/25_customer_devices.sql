-- Seen is meant as in view touchpoints. Devices are candidates only: whose each is, device_owners knows.
CREATE OR REPLACE VIEW customer_devices /*on_cluster*/
AS SELECT
    count() > 0 AS seen,
    arrayDistinct(arrayConcat(
        groupUniqArrayIf(assumeNotNull(anonymous_id), isNotNull(anonymous_id)),
        (SELECT groupArray(anonymous_id) FROM identity_corrections_log WHERE customer_id = {customer:String})
    )) AS devices
FROM touchpoints_log FINAL
PREWHERE customer_id = {customer:String}
WHERE ifNull(import_id, '') NOT IN (SELECT import_id FROM withdrawn_imports_log FINAL WHERE withdrawn)
COMMENT 'Whether a customer was ever seen, and every anonymous id that could be theirs: customer_devices(customer = ''...'')';
