"""How Meta is answered when it asks whether this endpoint is ours."""

from __future__ import annotations

import pytest

from pipeline.channels.envelope import Incoming
from pipeline.collector.challenges import Challenges
from pipeline.collector.refusal import Refusal
from tests.channels.known import sources

CHALLENGES = Challenges({"meta": "app secret", "meta_verify": "agreed"})


def asked(**query: str) -> Incoming:
    return Incoming(b"", query={f"hub.{name}": value for name, value in query.items()}, method="GET")


def test_the_agreed_token_gets_the_challenge_back() -> None:
    answer = CHALLENGES.unsigned(
        sources()["meta"], asked(mode="subscribe", challenge="1158201444", verify_token="agreed")
    )
    assert answer is not None
    assert answer.body == b"1158201444"


@pytest.mark.parametrize("token", ["another", "", "app secret"])
def test_any_other_token_is_refused(token: str) -> None:
    with pytest.raises(Refusal) as refused:
        CHALLENGES.unsigned(sources()["meta"], asked(mode="subscribe", challenge="1158201444", verify_token=token))
    assert refused.value.status == 401


def test_what_is_no_challenge_gets_no_answer() -> None:
    assert CHALLENGES.unsigned(sources()["meta"], asked(mode="unsubscribe", verify_token="agreed")) is None
