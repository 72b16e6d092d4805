CREATE OR REPLACE VIEW catalogue /*on_cluster*/
(
    channel LowCardinality(String) COMMENT 'Channel',
    touchpoint LowCardinality(String) COMMENT 'Touchpoint of the channel',
    stage LowCardinality(String) COMMENT 'Stage it belongs to unless its event says otherwise',
    direction LowCardinality(String) COMMENT 'inbound or outbound unless its event says otherwise',
    medium LowCardinality(String) COMMENT 'digital, human or physical',
    ownership LowCardinality(String) COMMENT 'owned or partner',
    reach LowCardinality(String) COMMENT 'direct or indirect',
    relationship LowCardinality(String) COMMENT 'personal, dedicated, self_service, automated, community or co_creation',
    cost_per_touch Float64 COMMENT 'Cost of one touch, in the currency of the deployment'
)
AS SELECT
    channel,
    touchpoint,
    stage,
    direction,
    medium,
    ownership,
    reach,
    relationship,
    cost_per_touch
FROM catalogue_log FINAL
WHERE loaded_at = (SELECT max(loaded_at) FROM catalogue_log)
COMMENT 'Channels and touchpoints that this version knows';
