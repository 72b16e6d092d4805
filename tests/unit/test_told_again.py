"""What a shop or a carrier tells again with every later change must be known by the same event_id."""

import json

import pytest

from pipeline.channels.applied import apply
from tests.channels.known import examples, sources


def event_ids(source, name, change=lambda body, headers: None):
    example = next(each for each in examples(source) if each.name == name)
    body, headers = json.loads(json.dumps(example.body)), dict(example.headers)
    change(body, headers)
    request = example.incoming(body)
    return [
        mapped.event["event_id"]
        for mapped in apply(sources()[source], type(request)(request.body, headers, request.query)).touchpoints
    ]


def another_shopify_event(_, headers):
    headers["x-shopify-event-id"] = "11111111-7158-44d4-b7cd-2c97c8a091b5"


def another_square_event(body, _):
    body["event_id"] = "11111111-54a1-4eb0-a98a-000000000001"
    body["data"]["object"]["payment"]["updated_at"] = "2026-03-21T01:00:00.000Z"


def completed(body, _):
    body["status"] = "completed"


def later_scan(body, _):
    body["id"] = "evt_999999"
    body["result"]["tracking_details"].append({"status": "in_transit", "datetime": "2026-04-01T20:00:00Z"})


@pytest.mark.parametrize(
    ("source", "name", "change"),
    [
        ("shopify", "orders_updated_goods_returned", another_shopify_event),
        ("shopify", "fulfillments_update_delivered", another_shopify_event),
        ("shopify", "checkouts_update", another_shopify_event),
        ("square", "payment_updated", another_square_event),
        ("woocommerce", "order_created", completed),
        ("easypost", "in_transit_later", later_scan),
    ],
)
def test_told_again_it_is_the_same(source, name, change):
    assert event_ids(source, name, change) == event_ids(source, name)
    assert len(event_ids(source, name)) == 1


@pytest.mark.parametrize(
    ("source", "first", "then"),
    [
        ("shopify", "orders_updated_goods_returned", "orders_updated_second_refund"),
        ("easypost", "created_in_transit", "in_transit_later"),
    ],
)
def test_what_was_known_before_stays_among_what_comes_later(source, first, then):
    assert set(event_ids(source, first)) <= set(event_ids(source, then))


def test_another_order_is_another_event():
    def another(_, headers):
        headers["x-shopify-event-id"] = "11111111-7158-44d4-b7cd-2c97c8a091b5"

    assert event_ids("shopify", "orders_create", another) != event_ids("shopify", "orders_create")


def test_a_second_refund_of_a_payment_is_another_event():
    assert event_ids("square", "payment_updated_refunded") != event_ids("square", "payment_updated_refunded_again")
