-- What a member of staff should see when a customer calls: one row for anybody who was ever seen, none for anybody
-- else. It may be asked by any id of the person: a customer_id, an anonymous id, anon:<anonymous id>. ClickHouse
-- takes no list of columns for a view with parameters, so the columns are described here.
--
-- customer_id        the customer; anon:<anonymous id> while no customer is known
-- linked_ids         their other keys (active links of view identities)
-- first_seen_at      first touchpoint, UTC
-- customer_since     first purchase or renewal, UTC; null while there is none
-- touchpoints        touchpoints, both directions, over all keys
-- purchases          purchases and renewals that were not broken off
-- values             sum of values by currency, without what failed
-- last_at, last_channel, last_touchpoint, last_outcome, last_reference
--                    the last interaction: the newest inbound touchpoint; null where there was none
-- last_sentiment     its mood, -1 to 1; null where none was recorded
-- last_mood          that in a word: negative up to -0.35, positive from 0.35, else neutral; null where not recorded
-- nps, nps_at        latest NPS answer, 0 to 10, and when; csat (1 to 5) and ces (1 to 7) likewise
-- journey_started_at, journey_touchpoints, journey_channels, journey_stages
--                    the journey that is open now, as in stitched_journeys; null, 0 and empty while none is
-- recent             the last 20 touchpoints, the newest first
-- open_issues        what was opened and not settled since, the oldest first: reference (null: known by its channel
--                    alone), channel and touchpoint that opened it, since, last_at, contacts (inbound
--                    touchpoints about it)
-- score, level, reasons, action, scored_at
--                    risk of leaving as in view customers; null and empty while not scored
-- at_risk_since      when that level was reached, UTC; null while not recorded
-- alert_id, alert_status, alert_level, alert_raised_at, acknowledged_at, acknowledged_by
--                    the alert that is not over: open or acknowledged; null while there is none
-- snoozed_until      nothing is raised before, UTC; null while not snoozed
CREATE OR REPLACE VIEW screen_pop /*on_cluster*/
AS SELECT *
FROM person_pop(keys = (SELECT keys FROM person_keys(id = {customer_id:String}))) AS person
COMMENT 'What a member of staff should see when this customer calls now: screen_pop(customer_id = ''...'')';
