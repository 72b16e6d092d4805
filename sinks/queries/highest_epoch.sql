-- The highest epoch of which anything has landed, of any topic; 0 when nothing has.
SELECT max(epoch)
FROM landing_ledger
