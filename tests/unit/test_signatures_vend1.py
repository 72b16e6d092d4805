"""Shops', payments', parcels' and loyalty programmes' signatures, by answers that were found without our code.

Square's are those of its own SDK's tests; the others come from OpenSSL, following each vendor's description.
"""

import pytest

from pipeline.channels.envelope import Incoming
from pipeline.channels.signatures import Verifier
from tests.channels.known import sources

NOW = 1_774_800_000_000
ORDER = b'{"id":820982911946154508,"name":"#9999"}'
SQUARE_TEST = (
    b'{"merchant_id":"MLEFBHHSJGVHD","type":"webhooks.test_notification","event_id":"ac3ac95b-f97d-458c-a6e6-18981597e05f"'
    b',"created_at":"2022-07-13T20:30:59.037339943Z","data":{"type":"webhooks","id":"bc368e64-01aa-407e-b46e-3231809b1129"}}'
)
SQUARE_URL = "https://webhook.site/679a4f3a-dcfa-49ee-bac5-9d0edad886b9"


def checked(source, secret, headers, body, url="", now=NOW):
    found = Verifier(sources()[source].mapping.signature, [secret]).check(Incoming(body, headers, {}, url), now)
    return found and found.code


@pytest.mark.parametrize(
    ("source", "header", "signature"),
    [
        ("shopify", "x-shopify-hmac-sha256", "a11juO/xhWvL96+ioFU5sr0bVxeycGAkCcAJRiHy0dg="),
        ("aftership", "aftership-hmac-sha256", "uYjncUizJ7vGo1XkRDo7r0HPZ9mwT5IN5dw76sI5Hdc="),
        ("loyaltylion", "x-loyaltylion-hmac-sha256", "Ian5ghzC2h+sHlYyaxCm2WKdOU02dWmt72xQ08zL2z0="),
        ("woocommerce", "x-wc-webhook-signature", "qx/l2eu/DdyOb1wPEAWyLKssvSJLMOcfDoqoGa4Xq58="),
        (
            "easypost",
            "x-hmac-signature",
            "hmac-sha256-hex=610b07309f435c3227249537b849c8139608b23da4cf84e0ebdbcd876c1b61fe",
        ),
    ],
)
def test_signs_the_body(source, header, signature):
    secret = f"{source}_secret"
    assert checked(source, secret, {header: signature}, ORDER) is None
    assert checked(source, secret, {header: signature}, ORDER + b"\n") == "signature_wrong"
    assert checked(source, "another", {header: signature}, ORDER) == "signature_wrong"


def test_stripe_signs_the_time_and_the_body():
    body = b'{"id":"evt_1","object":"event","type":"invoice.paid"}'
    signature = "111b1d52c94ccceb98aea97dcc51fca1cc8e6966e8cea9cb4ec4aa7f9ae6b59a"
    header = {"stripe-signature": f"t=1774800000,v1={'0' * 64},v1={signature},v0=6ffbb59b2300aae63f272406069a9788"}
    assert checked("stripe", "whsec_test_secret", header, body) is None
    assert checked("stripe", "whsec_test_secret", header, body, now=NOW + 301_000) == "timestamp_old"
    moved = {"stripe-signature": f"t=1774800001,v1={signature}"}
    assert checked("stripe", "whsec_test_secret", moved, body) == "signature_wrong"


@pytest.mark.parametrize(
    ("key", "url", "body", "signature"),
    [
        ("Ibxx_5AKakO-3qeNVR61Dw", SQUARE_URL, SQUARE_TEST, "GF4YkrJgGBDZ9NIYbNXBnMzqb2HoL4RW/S6vkZ9/2N4="),
        (
            "signature-key",
            "https://webhook.site/webhooks",
            b'{"data":{"type":"webhooks","id":">id<"}}',
            "Cxt7+aTi4rKgcA0bC4g9EHdVtLSDWdqccmL5MvihU4U=",
        ),
    ],
)
def test_square_signs_the_url_and_the_body(key, url, body, signature):
    header = {"x-square-hmacsha256-signature": signature}
    assert checked("square", key, header, body, url) is None
    assert checked("square", key, header, body, url + "/") == "signature_wrong"
    assert checked("square", key, header, body.replace(b"webhooks", b"webhook", 1), url) == "signature_wrong"
