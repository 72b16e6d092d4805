-- What the profiles of one page of customers count, against the touchpoints that have landed of them, as of a cut: by
-- partition, how far the customers agent had come in the current epoch. Customers for whom both agree are left out.
--
-- A touchpoint up to the cut is of one of these kinds:
--   certain     must be in the profile
--   late        was said to be late, and no rebuild has taken it in: is not in it
--   refused     the customers agent made a dead letter of it; a duplicate of it may be in the profile
--   withdrawn   of an import that does not count, which the profile may not have followed yet
--   restored    of an import that counts again, which the profile may not have followed yet
--   before      of an epoch that is over, or deleted by retention before the states were lost: the profile may lack it
--   uncertain   was late while a rebuild was under way, which may have taken it in
-- A profile that has moved past the cut is compared only if it was given: as it stood at its own revision.
WITH
    (SELECT min(epoch) FROM landing_ledger WHERE topic = 'touchpoints') < {epoch:Int64} AS had_epochs,
    bitShiftLeft({epoch:Int64}, 38) AS epoch_begins
SELECT
    customer_id,
    max(revision) AS stands_at,
    max(counted) AS counts,
    max(rebuilt) AS rebuilt_at,
    max(moving) AS has_moved,
    countIf(kind = 'certain') AS certain,
    countIf(kind = 'before') AS before,
    countIf(kind = 'restored') AS restored,
    countIf(kind = 'withdrawn') AS withdrawn,
    countIf(kind IN ('refused', 'uncertain')) AS doubtful,
    uniqExactIf(import_id, kind = 'restored') AS restored_imports,
    before > 0 OR (had_epochs AND max(known) AND rebuilt_at < epoch_begins) AS after_loss
FROM
(
    WITH profiles AS
    (
        SELECT
            customer_id,
            revision,
            touchpoints AS counted,
            ifNull(rebuilt, 0) AS rebuilt,
            revision >= epoch_begins + transform(kafka_partition, {partitions:Array(Int32)}, {cuts:Array(Int64)}, toInt64(0))
                AS moving,
            false AS given,
            true AS known
        FROM customers_log FINAL
        WHERE customer_id > {after:String}
            AND ({last:Nullable(String)} IS NULL OR customer_id <= {last:Nullable(String)})
            AND customer_id NOT IN {given:Array(String)}
        UNION ALL
        SELECT profile.1, profile.2, profile.3, profile.4, false, true, true
        FROM
        (
            SELECT arrayJoin(arrayZip(
                {given:Array(String)}, {revisions:Array(Int64)}, {counts:Array(Int64)}, {rebuilds:Array(Int64)})) AS profile
        )
    )
    SELECT
        customer_id,
        revision,
        counted,
        rebuilt,
        moving,
        known,
        import_id,
        multiIf(
            (customer_id, event_id, position) IN
            (
                SELECT customer_id, event_id, late_log.revision
                FROM late_log
                WHERE customer_id > {after:String}
                    AND ({last:Nullable(String)} IS NULL OR customer_id <= {last:Nullable(String)})
            ) AND position >= rebuilt, if(rebuilt > 0, 'uncertain', 'late'),
            (kafka_epoch, kafka_partition, kafka_offset) IN
            (
                SELECT assumeNotNull(epoch), assumeNotNull(partition), assumeNotNull(offset)
                FROM rejected_log
                WHERE topic = 'touchpoints' AND isNotNull(epoch) AND isNotNull(partition) AND isNotNull(offset)
            ), 'refused',
            import_id IN (SELECT import_id FROM withdrawn_imports_log FINAL WHERE withdrawn), 'withdrawn',
            import_id IN (SELECT import_id FROM withdrawn_imports_log), 'restored',
            kafka_epoch < {epoch:Int64} AND position >= rebuilt, 'before',
            {states_lost:Bool} AND rebuilt = 0 AND kafka_offset
                < transform(kafka_partition, {partitions:Array(Int32)}, {firsts:Array(Int64)}, toInt64(0)), 'before',
            'certain') AS kind
    FROM
    (
        SELECT
            customer_id,
            event_id,
            ifNull(import_id, '') AS import_id,
            kafka_epoch,
            kafka_partition,
            kafka_offset,
            bitOr(bitShiftLeft(kafka_epoch, 38), kafka_offset) AS position
        FROM touchpoints_log FINAL
        WHERE customer_id > {after:String}
            AND ({last:Nullable(String)} IS NULL OR customer_id <= {last:Nullable(String)})
    ) AS landed
    LEFT JOIN profiles USING customer_id
    WHERE if(
        given,
        position <= revision,
        position < epoch_begins
            + transform(kafka_partition, {partitions:Array(Int32)}, {cuts:Array(Int64)}, toInt64(0)))
    UNION ALL
    SELECT customer_id, revision, counted, rebuilt, moving, known, '', 'none'
    FROM profiles
)
GROUP BY customer_id
HAVING has_moved OR counts < certain + before + restored OR counts > certain + before + restored + doubtful
ORDER BY customer_id
