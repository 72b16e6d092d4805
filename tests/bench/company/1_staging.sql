CREATE DATABASE IF NOT EXISTS staging;

CREATE TABLE staging.touches
(
    customer_id String,
    occurred_at DateTime64(3, 'UTC'),
    channel LowCardinality(String),
    touchpoint LowCardinality(String),
    stage LowCardinality(String),
    direction LowCardinality(String),
    device Nullable(String),
    customer UInt32,
    visit UInt32,
    luck UInt64
)
ENGINE = MergeTree
ORDER BY occurred_at;
