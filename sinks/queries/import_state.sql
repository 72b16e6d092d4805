-- Whether an import is known, and whether it is withdrawn.
SELECT
    (SELECT count() FROM touchpoints_log WHERE import_id = {import_id:String}) > 0,
    (SELECT count() FROM withdrawn_imports_log FINAL WHERE import_id = {import_id:String} AND withdrawn) > 0
