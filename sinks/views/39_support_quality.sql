-- The rows of support_cases, added up by the channel in which the customer opened the case; the waits are those recorded in
-- the channel, whatever the case. What is known of one reference stands in support_cases.
CREATE OR REPLACE VIEW support_quality /*on_cluster*/
(
    channel String COMMENT 'Channel the cases were opened in; of the waits: the channel waited in',
    cases UInt64 COMMENT 'Cases opened in it',
    customers UInt64 COMMENT 'Persons who opened them',
    contacts_avg Nullable(Float64) COMMENT 'Mean contacts per case; null without cases',
    waits UInt64 COMMENT 'Waits recorded in the channel',
    wait_ms_p50 Nullable(Float64) COMMENT 'Median wait, milliseconds; null when none was recorded',
    wait_ms_p95 Nullable(Float64) COMMENT '95th percentile of the waits, milliseconds; null when none was recorded',
    resolved UInt64 COMMENT 'Cases resolved in the end, in whatever channel',
    unresolved UInt64 COMMENT 'Cases of which something else was said last: unresolved, escalated, abandoned or failed',
    resolution_rate Nullable(Float64) COMMENT 'resolved / (resolved + unresolved), 0 to 1; null where neither is known',
    resolution_ms_p50 Nullable(Float64) COMMENT 'From opened to resolved, median, milliseconds; null without any',
    first_contact_resolved UInt64 COMMENT 'Cases resolved in one contact, neither escalated nor repeated',
    first_contact_rate Nullable(Float64) COMMENT 'first_contact_resolved / (resolved + unresolved), 0 to 1; null where neither is known',
    repeated UInt64 COMMENT 'Cases for which the customer had to come again within 7 days',
    repeat_rate Nullable(Float64) COMMENT 'repeated / cases, 0 to 1; null without cases',
    escalated UInt64 COMMENT 'Cases escalated at some time',
    escalation_rate Nullable(Float64) COMMENT 'escalated / cases, 0 to 1; null without cases',
    hopped UInt64 COMMENT 'Cases in which the customer changed the channel',
    hop_rate Nullable(Float64) COMMENT 'hopped / cases, 0 to 1; null without cases'
)
AS SELECT
    entry.1 AS channel,
    countIf(is_case) AS cases,
    uniqExactIf(person_id, is_case) AS customers,
    if(cases = 0, NULL, sumIf(contacts, is_case) / cases) AS contacts_avg,
    countIf(NOT is_case) AS waits,
    quantileExactInclusiveOrNullIf(0.5)(entry.2, NOT is_case) AS wait_ms_p50,
    quantileExactInclusiveOrNullIf(0.95)(entry.2, NOT is_case) AS wait_ms_p95,
    countIf(is_case AND result = 'resolved') AS resolved,
    countIf(is_case AND result NOT IN ('resolved', 'unknown')) AS unresolved,
    if(resolved + unresolved = 0, NULL, resolved / (resolved + unresolved)) AS resolution_rate,
    quantileExactInclusiveOrNullIf(0.5)(dateDiff('millisecond', opened_at, resolved_at), is_case) AS resolution_ms_p50,
    countIf(is_case AND first_contact_resolution) AS first_contact_resolved,
    if(resolved + unresolved = 0, NULL, first_contact_resolved / (resolved + unresolved)) AS first_contact_rate,
    countIf(is_case AND every_case.repeated) AS repeated,
    if(cases = 0, NULL, repeated / cases) AS repeat_rate,
    countIf(is_case AND every_case.escalated) AS escalated,
    if(cases = 0, NULL, escalated / cases) AS escalation_rate,
    countIf(is_case AND hops > 0) AS hopped,
    if(cases = 0, NULL, hopped / cases) AS hop_rate
FROM
(
    SELECT *, entry, entry.2 < 0 AS is_case
    FROM support_cases
    ARRAY JOIN arrayPushFront(support_cases.waits, (support_cases.channel, toInt64(-1))) AS entry
) AS every_case
GROUP BY entry.1
ORDER BY cases DESC, channel
COMMENT 'How well customers are helped, by channel: waits, resolution, repeat contacts, escalation, changes of channel';
