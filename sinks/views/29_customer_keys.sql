CREATE OR REPLACE VIEW customer_keys /*on_cluster*/
AS SELECT
    {customer:String} AS person_id,
    arrayConcat([{customer:String}], arraySort(groupArray(concat('anon:', device)))) AS keys
FROM device_owners(devices = (SELECT devices FROM customer_devices(customer = {customer:String})))
WHERE owner = {customer:String}
COMMENT 'A customer and their other keys, the customer first: customer_keys(customer = ''...'')';
