-- Finds the alerts of one customer, for whom the front desk asks, without reading all.
ALTER TABLE alerts_log /*on_cluster*/
ADD INDEX IF NOT EXISTS by_customer customer_id TYPE bloom_filter(0.001) GRANULARITY 1;

-- For what had landed before; it runs in the background, and until it ends such parts are read as if without an index.
ALTER TABLE alerts_log /*on_cluster*/
MATERIALIZE INDEX IF EXISTS by_customer;
