CREATE DATABASE IF NOT EXISTS {database:Identifier} /*on_cluster*/
COMMENT 'Touchline: touchpoints of customers, joined into journeys'
