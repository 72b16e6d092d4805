SELECT count()
FROM rebuild_requests FINAL
WHERE rebuild_id = {rebuild_id:UUID}
