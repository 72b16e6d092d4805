-- How many touchpoints the view has from one run of an import: those of its lines that were not there before.
SELECT count()
FROM touchpoints
WHERE import_id = {import_id:String} AND received_at = fromUnixTimestamp64Milli({now:Int64}, 'UTC')
