CREATE TABLE IF NOT EXISTS schema_migrations /*on_cluster*/
(
    name String COMMENT 'File name of the migration',
    checksum FixedString(64) COMMENT 'SHA-256 of the file as applied, hexadecimal',
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3) COMMENT 'When it was applied, UTC'
)
ENGINE = /*replicated*/ReplacingMergeTree
ORDER BY name
COMMENT 'Which migrations have been applied to this database';
