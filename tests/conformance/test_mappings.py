"""What every channel mapping must do, whatever its vendor: asked of each one that is shipped, and of each example."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.channels.applied import apply
from pipeline.channels.check import problems
from pipeline.channels.envelope import Incoming, kept, restored
from pipeline.channels.fixture import Fixture
from pipeline.channels.signatures import Verifier
from pipeline.channels.touchpoints import accepted
from pipeline.model import Rejected
from tests.channels.known import all_examples, examples, now, sources
from tests.channels.signing import signer

EVERY_SOURCE = pytest.mark.parametrize("name", sorted(sources()))
EVERY_EXAMPLE = pytest.mark.parametrize(
    ("name", "example"), all_examples(), ids=lambda each: getattr(each, "name", each)
)
SIGNED = [name for name, source in sorted(sources().items()) if source.mapping.signature.scheme != "write_key"]
TIMED = [name for name in SIGNED if sources()[name].mapping.signature.timestamp is not None]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@EVERY_SOURCE
def test_gives_what_its_examples_say_and_refuses_what_lacks_something(name: str) -> None:
    assert list(problems(sources()[name], examples(name), now())) == []


@EVERY_EXAMPLE
def test_the_order_of_delivery_changes_nothing(name: str, example: Fixture) -> None:
    others = [other.incoming() for other in examples(name)]
    wanted = [mapped.event for request in others for mapped in apply(sources()[name], request).touchpoints]
    random.Random(example.name).shuffle(others)
    found = [mapped.event for request in others for mapped in apply(sources()[name], request).touchpoints]
    assert sorted(map(repr, found)) == sorted(map(repr, wanted))


@EVERY_SOURCE
def test_an_unknown_kind_of_event_is_ignored_and_counted(name: str) -> None:
    source = sources()[name]
    if source.event is None or any("*" in rule.events for rule in source.rules):
        pytest.skip("this source takes every kind of event")
    request = _of_kind(source.event.path, examples(name)[0], "something.nobody.knows")
    outcome = apply(source, request)
    assert (outcome.problem, outcome.touchpoints) == (None, [])
    assert outcome.ignored.get("unknown", 0) >= 1


@EVERY_EXAMPLE
def test_a_refusal_keeps_enough_to_be_mapped_again(name: str, example: Fixture) -> None:
    source = sources()[name]
    request = example.incoming()
    again = restored(kept(request, source.headers, 0))
    assert again is not None
    assert _events(name, again.incoming) == _events(name, request)


@pytest.mark.parametrize("name", SIGNED)
def test_believes_only_what_is_signed(name: str) -> None:
    scheme = sources()[name].mapping.signature
    vendor, stranger = signer(scheme), signer(scheme)
    verifier = Verifier(scheme, [vendor.secret])
    request = _addressed(examples(name)[0].incoming())
    assert verifier.check(vendor.sign(request, now()), now()) is None
    wrong = verifier.check(stranger.sign(request, now()), now())
    assert wrong is not None
    assert wrong.code == "signature_wrong"
    missing = verifier.check(request, now())
    assert missing is not None
    assert missing.code == "signature_missing"


@pytest.mark.parametrize("name", SIGNED)
def test_two_secrets_are_valid_while_one_is_changed(name: str) -> None:
    scheme = sources()[name].mapping.signature
    old, new = signer(scheme), signer(scheme)
    verifier = Verifier(scheme, [old.secret, new.secret])
    request = _addressed(examples(name)[0].incoming())
    assert verifier.check(old.sign(request, now()), now()) is None
    assert verifier.check(new.sign(request, now()), now()) is None


@pytest.mark.parametrize("name", [name for name in SIGNED if "{body}" in sources()[name].mapping.signature.signed])
def test_a_changed_body_is_not_believed(name: str) -> None:
    scheme = sources()[name].mapping.signature
    if scheme.scheme in {"token", "basic"}:
        pytest.skip("this vendor signs no body")
    vendor = signer(scheme)
    request = vendor.sign(_addressed(examples(name)[0].incoming()), now())
    changed = Incoming(request.body + b" ", request.headers, request.query, request.url, request.method)
    wrong = Verifier(scheme, [vendor.secret]).check(changed, now())
    assert wrong is not None
    assert wrong.code == "signature_wrong"


@pytest.mark.parametrize("name", TIMED)
def test_what_was_signed_long_ago_is_not_believed(name: str) -> None:
    scheme = sources()[name].mapping.signature
    assert scheme.timestamp is not None
    vendor = signer(scheme)
    request = _addressed(examples(name)[0].incoming())
    off = int(scheme.timestamp.tolerance_seconds * 1000) + 2_000
    old = Verifier(scheme, [vendor.secret]).check(vendor.sign(request, now() - off), now())
    assert old is not None
    assert old.code == "timestamp_old"


@EVERY_SOURCE
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_payload_holds_there_is_an_answer(name: str, data: st.DataObject) -> None:
    source = sources()[name]
    example = data.draw(st.sampled_from(examples(name)), label="example")
    body = _spoiled(example.body, data)
    if example.is_form:
        body = {str(key): str(value) for key, value in body.items()} if isinstance(body, dict) else {"body": "1"}
    outcome = apply(source, example.incoming(body))
    for mapped in outcome.touchpoints:
        checked = accepted(source, mapped, now())
        assert not isinstance(checked, Rejected) or all(error.message for error in checked.errors)


@EVERY_SOURCE
@settings(max_examples=25, deadline=None)
@given(raw=st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_whatever_bytes_come_there_is_an_answer(name: str, raw: bytes) -> None:
    source = sources()[name]
    outcome = apply(source, Incoming(raw, examples(name)[0].incoming().headers))
    assert outcome.problem is None or outcome.problem.message


def _events(name: str, request: Incoming) -> list[dict[str, Any]]:
    return [mapped.event for mapped in apply(sources()[name], request).touchpoints]


def _addressed(request: Incoming) -> Incoming:
    return Incoming(request.body, request.headers, request.query, "https://collector.example/v1/webhooks/x?a=b")


def _of_kind(path: str, example: Fixture, kind: str) -> Incoming:
    """The example with another kind of event where its mapping looks for it."""
    request = example.incoming()
    where, _, rest = path.partition(".")
    if where == "headers":
        return Incoming(request.body, {**request.headers, rest: kind}, request.query)
    body = json.loads(json.dumps(example.body))
    target = body
    if where == "item" and body is not None:
        target = _item(body)
    *steps, last = rest.split(".")
    for step in steps:
        target = target[int(step)] if isinstance(target, list) else target[step]
    target[last] = kind
    return example.incoming(body)


def _item(body: Any) -> Any:
    if isinstance(body, list):
        del body[1:]
        return body[0]
    for value in body.values():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            del value[1:]
            return value[0]
    return body


def _spoiled(body: Any, data: st.DataObject) -> Any:
    """The body with one thing in it, at any depth, replaced by anything."""
    if isinstance(body, dict) and body and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(sorted(body)))
        return {**body, key: _spoiled(body[key], data)}
    if isinstance(body, list) and body and data.draw(st.integers(0, 3)):
        index = data.draw(st.integers(0, len(body) - 1))
        return [*body[:index], _spoiled(body[index], data), *body[index + 1 :]]
    return data.draw(VALUES)
