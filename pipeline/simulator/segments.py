"""The kinds of customers: how many, how often they come, at what hours, and what they do when they come."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.simulator.clock import DAYTIME, EVENING, OFFICE, SHOP, Hours


@dataclass(frozen=True)
class Segment:
    """A kind of customer.

    `rhythm_days` lie between two occasions at pace 1; `regularity` is high for people of fixed habits;
    `occasions` weighs the stories an occasion may become; `touches` is the usual number of touchpoints, at
    pace 1, that comes of occasions.
    """

    name: str
    share: float
    rhythm_days: float
    regularity: float
    hours: Hours
    occasions: dict[str, float]
    order_value: float
    subscribes: float
    touches: float
    newcomer: bool = False


SEGMENTS = (
    Segment(
        "frequent_shopper",
        0.06,
        6,
        4.0,
        EVENING,
        {
            "browse": 46,
            "order": 26,
            "app_session": 18,
            "app_order": 6,
            "community": 2,
            "social": 2,
            "question": 2,
        },
        55,
        0.1,
        142,
    ),
    Segment(
        "occasional_shopper",
        0.36,
        80,
        1.6,
        EVENING,
        {"browse": 55, "order": 32, "social": 2, "store_visit": 6, "question": 4},
        70,
        0.0,
        12,
    ),
    Segment(
        "subscriber",
        0.15,
        7,
        4.0,
        DAYTIME,
        {
            "app_session": 66,
            "account": 12,
            "browse": 8,
            "help": 4,
            "question": 3,
            "community": 5,
            "webinar": 1,
        },
        35,
        1.0,
        65,
    ),
    Segment(
        "business",
        0.03,
        12,
        2.2,
        OFFICE,
        {"account": 22, "order": 22, "sales_contact": 18, "help": 10, "webinar": 6, "question": 6, "deal": 5},
        620,
        0.5,
        60,
    ),
    Segment(
        "store_regular",
        0.1,
        10,
        5.0,
        SHOP,
        {"store_visit": 84, "browse": 10, "store_appointment": 4, "question": 2},
        38,
        0.0,
        45,
    ),
    Segment("dormant", 0.24, 130, 1.2, EVENING, {"browse": 80, "order": 12, "store_visit": 8}, 45, 0.0, 5),
    Segment(
        "newcomer",
        0.06,
        10,
        2.0,
        DAYTIME,
        {"browse": 30, "app_session": 36, "order": 10, "help": 8, "question": 6, "account": 10},
        40,
        0.7,
        22,
        newcomer=True,
    ),
)
