"""Known answers: signatures that vendors and standards publish with their secret and body."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.channels.envelope import Incoming
from pipeline.channels.errors import MappingError
from pipeline.channels.mapping import Signature, Timestamp
from pipeline.channels.signatures import Verifier, split_secrets


def verifier(secret: str, **given: Any) -> Verifier:
    return Verifier(Signature(**given), [secret])


def code(checked: Any) -> str | None:
    return checked.code if checked else None


def test_standard_webhooks_example_of_the_specification() -> None:
    scheme = {
        "scheme": "hmac",
        "header": "webhook-signature",
        "pattern": "v1,([A-Za-z0-9+/=]+)",
        "encoding": "base64",
        "signed": "{id}.{timestamp}.{body}",
        "key": "base64",
        "key_prefix": "whsec_",
        "id_header": "webhook-id",
        "timestamp": Timestamp(header="webhook-timestamp"),
    }
    request = Incoming(
        b'{"test": 2432232314}',
        {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        },
    )
    known = verifier("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", **scheme)
    assert known.check(request, 1_614_265_330_000) is None
    assert known.check(request, 1_614_265_330_000 + 300_000) is None
    assert code(known.check(request, 1_614_265_330_000 + 301_000)) == "timestamp_old"
    assert code(known.check(request, 1_614_265_330_000 - 301_000)) == "timestamp_old"


def test_github_example_of_its_documentation() -> None:
    known = verifier(
        "It's a Secret to Everybody", scheme="hmac", header="x-hub-signature-256", pattern="sha256=([0-9a-f]+)"
    )
    proof = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert known.check(Incoming(b"Hello, World!", {"x-hub-signature-256": proof}), 0) is None
    assert code(known.check(Incoming(b"Hello, World?", {"x-hub-signature-256": proof}), 0)) == "signature_wrong"
    assert code(known.check(Incoming(b"Hello, World!", {"x-hub-signature-256": "sha1=00"}), 0)) == "signature_wrong"
    assert code(known.check(Incoming(b"Hello, World!"), 0)) == "signature_missing"


@pytest.mark.parametrize("stamp", ["", "yesterday", "nan", "inf", "1e400", "9" * 400])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    known = verifier("s", scheme="hmac", header="x-s", signed="{timestamp}{body}", timestamp=Timestamp(header="x-t"))
    assert code(known.check(Incoming(b"", {"x-s": "00", "x-t": stamp}), 0)) in {"timestamp_missing", "timestamp_old"}


def test_basic_and_token() -> None:
    basic = verifier("user:pass", scheme="basic")
    assert basic.check(Incoming(b"", {"authorization": "Basic dXNlcjpwYXNz"}), 0) is None
    assert code(basic.check(Incoming(b"", {"authorization": "Basic dXNlcjpwYXNi"}), 0)) == "signature_wrong"
    token = verifier("t0ken", scheme="token", header="x-token")
    assert token.check(Incoming(b"", {"x-token": "t0ken"}), 0) is None
    assert code(token.check(Incoming(b"", {"x-token": "tökén"}), 0)) == "signature_wrong"


@pytest.mark.parametrize("scheme", ["ecdsa", "ed25519"])
@pytest.mark.parametrize("secret", ["", "AAAA", "no key at all"])
def test_a_public_key_that_is_none_is_refused_at_the_start(scheme: str, secret: str) -> None:
    with pytest.raises(MappingError, match="copy it whole"):
        verifier(secret, scheme=scheme)


def test_several_secrets_in_one_setting() -> None:
    assert split_secrets("one, two\nthree") == ["one", "two", "three"]
    assert split_secrets(" ") == []
    pem = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
    assert split_secrets(pem) == [pem]
