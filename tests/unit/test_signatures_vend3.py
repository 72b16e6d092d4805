"""Mail's, sales', events' and generic senders' signatures, by answers that were found without our code.

SendGrid's and HubSpot's are those of their own SDKs' tests; the others come from OpenSSL, following each vendor's
description.
"""

from __future__ import annotations

import json

import pytest

from pipeline.channels.envelope import Incoming
from pipeline.channels.signatures import Verifier
from tests.channels.known import sources

SENDGRID_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6w"
    "EA3F+g=="
)
SENDGRID_PROOF = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
SENDGRID_EVENT = {
    "email": "hello@world.com",
    "event": "dropped",
    "reason": "Bounced Address",
    "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
    "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
    "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
    "timestamp": 1600112492,
}
SENDGRID_BODY = json.dumps([SENDGRID_EVENT], separators=(",", ":")).encode() + b"\r\n"
HUBSPOT_SECRET = "yyyyyyyy-yyyy-yyyy-yyyy-yyyyyyyyyyyy"
HUBSPOT_URL = "https://www.example.com/webhook_uri"
HUBSPOT_BODY = b"{'example_field':'example_value'}"
HUBSPOT = {
    "x-hubspot-signature-v3": "HPW73RUtKmcYoEDADG0s6MmGFWUzWJKAW07r8RDgcQw=",
    "x-hubspot-request-timestamp": "15000000",
}
BODY = b'{"event":"test"}'


def checked(source: str, secret: str, incoming: Incoming, now: int) -> str | None:
    found = Verifier(sources()[source].mapping.signature, [secret]).check(incoming, now)
    return found and found.code


def test_sendgrid() -> None:
    stamp = 1_600_112_502
    headers = {
        "x-twilio-email-event-webhook-signature": SENDGRID_PROOF,
        "x-twilio-email-event-webhook-timestamp": str(stamp),
    }
    assert checked("sendgrid", SENDGRID_KEY, Incoming(SENDGRID_BODY, headers), stamp * 1000) is None
    a_day_later = (stamp + 24 * 3600) * 1000
    assert checked("sendgrid", SENDGRID_KEY, Incoming(SENDGRID_BODY, headers), a_day_later) is None
    changed = Incoming(SENDGRID_BODY.rstrip(), headers)
    assert checked("sendgrid", SENDGRID_KEY, changed, stamp * 1000) == "signature_wrong"


def test_hubspot() -> None:
    request = Incoming(HUBSPOT_BODY, HUBSPOT, {}, HUBSPOT_URL)
    assert checked("hubspot", HUBSPOT_SECRET, request, 15_000_000) is None
    assert checked("hubspot", HUBSPOT_SECRET, request, 15_301_001) == "timestamp_old"
    elsewhere = Incoming(HUBSPOT_BODY, HUBSPOT, {}, HUBSPOT_URL + "?a=b")
    assert checked("hubspot", HUBSPOT_SECRET, elsewhere, 15_000_000) == "signature_wrong"


ZOOM = "f4d3652873095c7c6d05f0c89b2c61bdfc5e47f52024210d0a81a87b8c991927"
CALENDLY = "f515be75c6da31c520fc80f490a29ee1bb248fa67d44ed39ac725e2c14375d63"


@pytest.mark.parametrize(
    ("source", "headers"),
    [
        ("zoom", {"x-zm-request-timestamp": "1772366400", "x-zm-signature": f"v0={ZOOM}"}),
        ("calendly", {"calendly-webhook-signature": f"t=1772366400,v1={CALENDLY}"}),
    ],
)
def test_a_signed_request(source: str, headers: dict[str, str]) -> None:
    now = 1_772_366_400_000
    assert checked(source, "s3cret", Incoming(BODY, headers), now) is None
    assert checked(source, "another", Incoming(BODY, headers), now) == "signature_wrong"
    assert checked(source, "s3cret", Incoming(BODY + b" ", headers), now) == "signature_wrong"
    assert checked(source, "s3cret", Incoming(BODY, headers), now + 301_000) == "timestamp_old"


def test_standard_webhooks_example_of_the_specification() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    request = Incoming(b'{"test": 2432232314}', headers)
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert checked("touchline", secret, request, 1_614_265_330_000) is None
    assert checked("touchline", secret, request, 1_614_265_330_000 + 301_000) == "timestamp_old"
