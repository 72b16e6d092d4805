SELECT import_id, touchpoints, customers, occurred_from, occurred_to, received_at, withdrawn_at
FROM imports
ORDER BY received_at DESC, import_id
