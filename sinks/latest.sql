-- One question's last answer, for each name that sinks/latest.py lists: a table of the view's own columns behind as_of,
-- filled whole every quarter of an hour, on one core and one question after the other; empty until the first time, so that
-- a new version does not begin by answering all of them. A refresh that fails leaves the answer before it, and those
-- behind it in the row go on at the next turn.
-- A migration that changes the columns of such a view drops its latest_ and refresh_ first: they are made anew.
CREATE TABLE IF NOT EXISTS `latest_/*question*/` /*on_cluster*/ AS `/*question*/`
ENGINE = MergeTree
ORDER BY tuple()
COMMENT 'The view /*question*/ as it was at as_of, made anew every quarter of an hour';

ALTER TABLE `latest_/*question*/` /*on_cluster*/
ADD COLUMN IF NOT EXISTS as_of DateTime64(3, 'UTC') COMMENT 'The moment of the answer, UTC' FIRST;

CREATE MATERIALIZED VIEW IF NOT EXISTS `refresh_/*question*/` /*on_cluster*/
REFRESH EVERY 15 MINUTE /*after*/
TO `latest_/*question*/`
EMPTY
AS SELECT now64(3, 'UTC') AS as_of, *
FROM `/*question*/`
SETTINGS max_threads = 1
COMMENT 'Fills latest_/*question*/';
