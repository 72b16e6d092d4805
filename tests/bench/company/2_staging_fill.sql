-- Touchpoints, made from hashes alone: the same numbers give the same company. A customer has 1 to 1,500
-- touchpoints (log-normal, mean near 20), four to a visit and three visits to a journey, over half a year up to now. The
-- first tenth of the catalogue gets four tenths of all. One customer in five was anonymous during the first journey.
INSERT INTO staging.touches
WITH
    (
        SELECT groupArray((channel, touchpoint, stage, direction))
        FROM (SELECT channel, touchpoint, stage, direction FROM touchline.catalogue ORDER BY sipHash64(touchpoint, channel))
    ) AS places,
    (salt, a, b) -> (sipHash64(salt, a, b) + 1) / 18446744073709551617.0 AS dice,
    180 * 86400000 AS half_a_year
SELECT
    if(unknown, concat('anon:', visitor), concat('customer-', leftPad(toString(customer), 7, '0'))) AS customer_id,
    toDateTime64({now:Int64} / 1000, 3, 'UTC') - toIntervalMillisecond(toInt64(
        half_a_year * dice('journey', customer, intDiv(visit, 3))
        - 3 * 86400000 * (visit % 3) * dice('visit', customer, visit)
        - (touch % 4) * 180000 - luck % 150000
    )) AS moment,
    place.1,
    place.2,
    place.3,
    place.4,
    if(unknown OR (place.1 IN ('web', 'mobile_app') AND customer % 5 < 2 AND luck % 4 = 0), visitor, NULL),
    customer,
    visit,
    luck
FROM
(
    SELECT
        number AS customer,
        concat('device-', lower(hex(sipHash64('device', customer)))) AS visitor,
        toUInt32(greatest(1, least(1500, round(exp(
            2.4 + 1.1 * sqrt(-2 * log(dice('skew', customer, 0))) * cos(2 * pi() * dice('skew', customer, 1))
        ))))) AS touches,
        arrayJoin(range(touches)) AS touch,
        intDiv(touch, 4) AS visit,
        sipHash64('luck', customer, touch) AS luck,
        places[1 + toUInt32(floor(length(places) * pow(dice('place', customer, touch), 2.5)))] AS place,
        customer % 5 = 0 AND visit < 3 AND place.1 IN ('web', 'mobile_app', 'self_service', 'advertising') AS unknown
    FROM numbers({first:UInt64}, {count:UInt64})
)
WHERE moment <= toDateTime64({now:Int64} / 1000, 3, 'UTC');
