-- An attempt to buy begins with the first touchpoint at a cart (cart_add, checkout_start, checkout_error, payment,
-- cart_abandon, a purchase that failed) since the last purchase, since the last cart_abandon and since 24 hours without any
-- of these. A purchase within 24 hours of its last touchpoint completes it, in whatever channel; a cart_abandon or an
-- outcome abandoned, or 24 hours of silence, abandon it; until then it is under way and not in this view. A purchase up to
-- 7 days later recovers what was abandoned. Its worth is the latest said: the value of a touchpoint, else its attribute
-- cart_value, with cart_currency.
-- A call or a chat is completed when it came to its end, and abandoned when the touchpoint says so (hanging up in the
-- telephone's menu is one, too). The next contact in a service channel that is not abandoned itself, or the company's
-- calling back, recovers it up to 7 days later.
-- Works per person, across the devices that active links (identities) stitch. Late touchpoints count. Reads touchpoints
-- once, those at a cart or of service only (with attributes, for cart_value), and identities once.
CREATE OR REPLACE VIEW attempts /*on_cluster*/
(
    person_id String COMMENT 'The customer, also by an active link of view identities; else the key itself',
    kind String COMMENT 'cart; checkout: a cart that came as far as checkout_start, checkout_error or payment; call; chat',
    channel String COMMENT 'Channel of its last touchpoint; of a purchase, of the last one before it',
    began_at DateTime64(3, 'UTC') COMMENT 'First touchpoint, UTC; of a call or chat, as ended_at',
    ended_at DateTime64(3, 'UTC') COMMENT 'When it was completed or abandoned; of a cart left in silence, its last touchpoint, UTC',
    reference Nullable(String) COMMENT 'Order, ticket or thread; null where nobody said',
    value Nullable(Float64) COMMENT 'Worth of the cart, or of the purchase that completed it; null where nobody said',
    currency Nullable(String) COMMENT 'Currency of value; null where nobody said',
    abandoned Bool COMMENT 'True: abandoned, be it recovered or not; false: completed',
    recovered_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When what was abandoned was made good, within 7 days, UTC; null: it was not',
    recovered_by Nullable(String) COMMENT 'channel.touchpoint that made it good',
    lost Bool COMMENT 'True: abandoned, not recovered, and the 7 days are over'
)
AS WITH
    arrayFirst(
        touch -> touch.occurred_at > ended_at AND touch.occurred_at <= ended_at + toIntervalDay(7),
        multiIf(NOT abandoned, [], kind IN ('cart', 'checkout'), purchases, help)
    ) AS made_good
SELECT
    person_id,
    attempt.1 AS kind,
    attempt.2 AS channel,
    attempt.3 AS began_at,
    attempt.4 AS ended_at,
    nullIf(attempt.5, '') AS reference,
    attempt.6 AS value,
    nullIf(attempt.7, '') AS currency,
    toBool(attempt.8) AS abandoned,
    if(made_good.channel = '', NULL, made_good.occurred_at) AS recovered_at,
    if(made_good.channel = '', NULL, concat(made_good.channel, '.', made_good.touchpoint)) AS recovered_by,
    toBool(abandoned AND made_good.channel = '' AND ended_at + toIntervalDay(7) < now64(3)) AS lost
FROM
(
    SELECT
        person_id,
        arraySort(touch -> (touch.occurred_at, touch.id), groupArrayArray(touches)) AS steps,
        arrayFilter(touch -> touch.role IN ('cart', 'checkout', 'purchase'), steps) AS shopping,
        arrayFilter(touch -> touch.role = 'purchase', steps) AS purchases,
        arrayFilter(touch -> touch.serves, steps) AS help,
        arraySplit(
            (touch, before) -> before.role = 'purchase'
                OR (before.given_up AND NOT touch.given_up)
                OR before.occurred_at + toIntervalHour(24) < touch.occurred_at,
            shopping,
            arraySlice(arrayPushFront(shopping, shopping[1]), 1, length(shopping))
        ) AS tries,
        arrayFilter(
            try -> try[1].role != 'purchase' AND (
                try[-1].role = 'purchase' OR try[-1].given_up OR try[-1].occurred_at + toIntervalHour(24) < now64(3)
            ),
            tries
        ) AS carts,
        arrayMap(
            cart -> (
                if(has(cart.role, 'checkout'), 'checkout', 'cart'),
                cart[if(cart[-1].role = 'purchase', -2, -1)].channel,
                cart[1].occurred_at,
                cart[if(cart[-1].given_up, indexOf(cart.given_up, true), length(cart))].occurred_at,
                cart[arrayLastIndex(reference -> reference != '', cart.reference)].reference,
                cart[arrayLastIndex(value -> isNotNull(value), cart.value)].value,
                cart[arrayLastIndex(value -> isNotNull(value), cart.value)].currency,
                cart[-1].role != 'purchase'
            ),
            carts
        ) AS buying,
        arrayMap(
            touch -> (
                touch.role,
                touch.channel,
                touch.occurred_at,
                touch.occurred_at,
                touch.reference,
                CAST(NULL, 'Nullable(Float64)'),
                '',
                touch.given_up
            ),
            arrayFilter(touch -> touch.role IN ('call', 'chat'), steps)
        ) AS contacts
    FROM
    (
        SELECT ifNull(nullIf(links.person_id, ''), found.key) AS person_id, found.touches AS touches
        FROM
        (
            SELECT
                customer_id AS key,
                groupArray(CAST(
                    (id, occurred_at, channel, touchpoint, role, given_up, serves, said_reference, worth, worth_currency),
                    'Tuple(
                        id FixedString(16), occurred_at DateTime64(3, ''UTC''), channel String, touchpoint String, role String,
                        given_up Bool, serves Bool, reference String, value Nullable(Float64), currency String
                    )'
                )) AS touches
            FROM
            (
                SELECT
                    customer_id,
                    UUIDToNum(event_id) AS id,
                    occurred_at,
                    channel,
                    touchpoint,
                    ifNull(outcome, '') AS result,
                    result = 'abandoned'
                        OR touchpoint IN ('cart_abandon', 'call_abandon', 'chat_abandon', 'ivr_abandon') AS given_up,
                    multiIf(
                        touchpoint = 'purchase', if(result IN ('failed', 'cancelled', 'abandoned'), 'checkout', 'purchase'),
                        channel = 'web' AND touchpoint IN ('checkout_start', 'checkout_error', 'payment'), 'checkout',
                        touchpoint IN ('cart_add', 'cart_abandon'), 'cart',
                        channel = 'phone' AND direction = 'inbound' AND touchpoint != 'voicemail', 'call',
                        touchpoint = 'ivr_abandon', 'call',
                        channel = 'live_chat' AND (touchpoint = 'chat_end' OR given_up), 'chat',
                        ''
                    ) AS role,
                    NOT given_up AND multiIf(
                        channel = 'phone', touchpoint != 'voicemail' AND result NOT IN ('failed', 'cancelled'),
                        channel = 'live_chat', touchpoint != 'chat_start',
                        channel = 'self_service', result = 'resolved',
                        channel IN ('helpdesk', 'email', 'social') OR touchpoint IN ('service_desk', 'assistance')
                    ) AS serves,
                    ifNull(reference, '') AS said_reference,
                    ifNull(value, toFloat64OrNull(attributes['cart_value'])) AS worth,
                    ifNull(currency, attributes['cart_currency']) AS worth_currency
                FROM touchpoints
                WHERE channel IN ('phone', 'live_chat', 'helpdesk') OR (channel, touchpoint) IN (
                    ('web', 'cart_add'), ('web', 'cart_abandon'), ('web', 'checkout_start'), ('web', 'checkout_error'),
                    ('web', 'payment'), ('web', 'purchase'), ('mobile_app', 'cart_add'), ('mobile_app', 'purchase'),
                    ('in_store', 'purchase'), ('in_store', 'service_desk'), ('in_store', 'assistance'),
                    ('email', 'inquiry'), ('email', 'complaint'), ('email', 'reply'),
                    ('social', 'direct_message'), ('social', 'complaint'),
                    ('self_service', 'ivr_abandon'), ('self_service', 'faq_view'), ('self_service', 'kb_article'),
                    ('self_service', 'kb_search'), ('self_service', 'ivr'), ('self_service', 'chatbot_session')
                )
            )
            GROUP BY customer_id
        ) AS found
        LEFT JOIN (SELECT key, person_id FROM person_links(person = '')) AS links ON links.key = found.key
    )
    GROUP BY person_id
)
ARRAY JOIN arrayConcat(buying, contacts) AS attempt
COMMENT 'Every cart, checkout, call and chat that came to its end: completed or abandoned, recovered or lost';
