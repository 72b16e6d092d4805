CREATE TABLE IF NOT EXISTS parameters /*on_cluster*/
(
    name String COMMENT 'Name of the setting, lower case, without the prefix TOUCHLINE_',
    value Int64 COMMENT 'Its value',
    set_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was set, UTC'
)
ENGINE = /*replicated*/ReplacingMergeTree(set_at)
ORDER BY name
COMMENT 'Settings that views depend on, as of the last migration; the latest row of a name stands';

CREATE TABLE IF NOT EXISTS catalogue_log /*on_cluster*/
(
    channel LowCardinality(String) COMMENT 'Channel',
    touchpoint LowCardinality(String) COMMENT 'Touchpoint of the channel',
    stage LowCardinality(String) COMMENT 'Stage it belongs to unless its event says otherwise',
    direction LowCardinality(String) COMMENT 'inbound or outbound unless its event says otherwise',
    medium LowCardinality(String) COMMENT 'digital, human or physical',
    ownership LowCardinality(String) COMMENT 'owned or partner',
    reach LowCardinality(String) COMMENT 'direct or indirect',
    relationship LowCardinality(String) COMMENT 'personal, dedicated, self_service, automated, community or co_creation',
    cost_per_touch Float64 COMMENT 'Cost of one touch, in the currency of the deployment',
    loaded_at DateTime64(3, 'UTC') COMMENT 'When this catalogue was loaded, UTC; the latest load stands'
)
ENGINE = /*replicated*/ReplacingMergeTree(loaded_at)
ORDER BY (channel, touchpoint)
COMMENT 'The catalogue of channels and touchpoints, as of the last migration: query the view catalogue';
