-- What screen_pop is made of, read past the view touchpoints (which has the same rows): the keys come as values, so that
-- the primary key finds them. bought and effect are told here only; person_contacts and the front desk add them up.
--
-- An issue goes by its reference, or its channel where it has none. What a touchpoint came to goes before what it is:
-- a complaint that was resolved at once opens nothing.
CREATE OR REPLACE VIEW person_touches /*on_cluster*/
AS SELECT
    customer_id,
    anonymous_id,
    event_id,
    occurred_at,
    channel,
    touchpoint,
    stage,
    direction,
    outcome,
    sentiment,
    rating_metric,
    rating_score,
    value,
    currency,
    reference,
    (channel, touchpoint) IN (
        ('web', 'purchase'), ('mobile_app', 'purchase'), ('in_store', 'purchase'),
        ('subscription', 'renewal'), ('subscription', 'upgrade'), ('sales', 'deal_won')
    ) AND ifNull(outcome NOT IN ('failed', 'cancelled', 'abandoned'), true) AS bought,
    multiIf(
        outcome IN ('unresolved', 'escalated'), 'opens',
        outcome IN ('resolved', 'converted', 'cancelled'), 'settles',
        (channel, touchpoint) IN (
            ('phone', 'complaint'), ('email', 'complaint'), ('social', 'complaint'),
            ('helpdesk', 'ticket_opened'), ('helpdesk', 'ticket_reopened'), ('helpdesk', 'ticket_escalated'),
            ('helpdesk', 'supervisor_involved'), ('subscription', 'payment_failed'),
            ('delivery', 'delayed'), ('delivery', 'damaged'), ('delivery', 'lost')
        ), 'opens',
        outcome = 'failed', '',
        (channel, touchpoint) IN (
            ('helpdesk', 'ticket_resolved'), ('community', 'solution_accepted'), ('delivery', 'delivered'),
            ('delivery', 'return_received'), ('web', 'payment'), ('subscription', 'renewal')
        ), 'settles',
        ''
    ) AS effect
FROM touchpoints_log FINAL
PREWHERE customer_id IN {keys:Array(String)}
WHERE ifNull(import_id, '') NOT IN (SELECT import_id FROM withdrawn_imports_log FINAL WHERE withdrawn)
COMMENT 'Touchpoints of these keys, with whether each bought something and its effect on the issue it is about (opens, settles or none): person_touches(keys = [...])';
