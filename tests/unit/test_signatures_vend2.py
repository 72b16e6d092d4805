"""Known answers for the signatures of Zendesk, Twilio and Discourse, by the mappings' own words."""

from __future__ import annotations

import base64
import hmac
from urllib.parse import urlencode

from pipeline.channels.envelope import Incoming
from pipeline.channels.signatures import Unsigned, Verifier
from tests.channels.known import sources

ZENDESK_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
TWILIO_URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
TWILIO_FORM = {
    "To": "+18005551212",
    "Digits": "1234",
    "CallSid": "CA1234567890ABCDE",
    "From": "+14158675309",
    "Caller": "+14158675309",
}


def check(name: str, secret: str, incoming: Incoming, now: int = 0) -> Unsigned | None:
    return Verifier(sources()[name].mapping.signature, [secret]).check(incoming, now)


def twilio(form: dict[str, str], url: str = TWILIO_URL) -> Incoming:
    return Incoming(urlencode(form).encode(), {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, url=url)


def test_twilio_example_of_its_libraries() -> None:
    for name in ("twilio_voice", "twilio_ivr"):
        assert check(name, "12345", twilio(TWILIO_FORM)) is None


def test_twilio_signs_every_field_and_the_url() -> None:
    assert check("twilio_voice", "12345", twilio({**TWILIO_FORM, "Digits": "9999"})) is not None
    assert check("twilio_voice", "12345", twilio(TWILIO_FORM, TWILIO_URL + "3")) is not None
    assert check("twilio_voice", "54321", twilio(TWILIO_FORM)) is not None


def test_zendesk_signs_the_time_with_the_body_and_takes_the_secret_as_it_is_shown() -> None:
    stamp, body = "2026-03-02T09:12:08Z", b'{"type":"zen:event-type:ticket.created"}'
    proof = base64.b64encode(hmac.digest(ZENDESK_SECRET.encode(), stamp.encode() + body, "sha256")).decode()
    headers = {"x-zendesk-webhook-signature": proof, "x-zendesk-webhook-signature-timestamp": stamp}
    signed_at = 1_772_442_728_000
    assert check("zendesk", ZENDESK_SECRET, Incoming(body, headers), signed_at) is None
    late = check("zendesk", ZENDESK_SECRET, Incoming(body, headers), signed_at + 301_000)
    assert late is not None
    assert late.code == "timestamp_old"
    moved = {**headers, "x-zendesk-webhook-signature-timestamp": "2026-03-02T09:12:09Z"}
    wrong = check("zendesk", ZENDESK_SECRET, Incoming(body, moved), signed_at)
    assert wrong is not None
    assert wrong.code == "signature_wrong"


def test_discourse_example_of_its_own_tests() -> None:
    proof = "sha256=162f107f6b5022353274eb1a7197885cfd35744d8d08e5bcea025d309386b7d6"
    request = Incoming(b'{"ping":"OK"}', {"x-discourse-event-signature": proof})
    assert check("discourse", "my_lovely_secret_for_web_hook", request) is None
    assert check("discourse", "another", request) is not None
