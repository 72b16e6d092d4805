-- How many touchpoints the view has from a run of an import, or from several that continue each other: those of its lines that were not there before.
SELECT count()
FROM touchpoints
WHERE import_id = {import_id:String} AND has({moments:Array(Int64)}, toUnixTimestamp64Milli(received_at))
