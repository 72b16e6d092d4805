"""A mapping file that cannot be used says where and why; what a payload holds becomes what the mapping says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.channels import mapping
from pipeline.channels.applied import Outcome, apply
from pipeline.channels.check import problems
from pipeline.channels.compiled import Source, compile_mapping
from pipeline.channels.envelope import Incoming, kept, restored
from pipeline.channels.errors import MappingError
from pipeline.channels.fixture import Fixture, read_fixture
from pipeline.channels.functions import Functions
from pipeline.channels.registry import load_sources, verifiers
from pipeline.channels.touchpoints import accepted, again
from pipeline.model import FieldError, Rejected

NOW = 1_772_366_400_000
HEAD = """
title = "A vendor"
about = "Sales"
documentation = "https://vendor.example"
[signature]
scheme = "token"
"""
RULE = """
[[touchpoints]]
channel = "web"
touchpoint = "purchase"
customer_id = "body.customer"
occurred_at = "body.at"
"""
GOOD = {"customer": 7, "at": "2026-03-01T12:00:00Z"}


def made(text: str) -> Source:
    return compile_mapping("vendor", mapping.read(text, "vendor.toml"), Functions())


def mapped(text: str, body: Any, headers: dict[str, str] | None = None) -> Outcome:
    return apply(made(text), Incoming(json.dumps(body).encode(), headers or {}))


def test_numbers_become_ids_and_text_numbers() -> None:
    text = HEAD + RULE + 'value = "body.total"\nduration_ms = "body.took"\n'
    [found] = mapped(text, {**GOOD, "total": "12.50", "took": "7.6"}).touchpoints
    assert (found.event["customer_id"], found.event["value"], found.event["duration_ms"]) == ("7", 12.5, 8)


def test_attributes_are_texts_and_cut() -> None:
    text = HEAD + RULE + "".join(f'attributes.{name} = "body.{name}"\n' for name in "abcdef")
    given = {"a": True, "b": [1, "x"], "c": {"d": [1]}, "d": "x" * 2_000, "e": None, "f": []}
    [found] = mapped(text, {**GOOD, **given}).touchpoints
    assert found.event["attributes"] == {"a": "true", "b": "1,x", "c": '{"d": [1]}', "d": "x" * 1_000}


def test_a_word_is_chosen_by_the_payload() -> None:
    text = (
        HEAD + RULE + 'outcome = { from = "body.state", done = "resolved", true = "completed", else = "unresolved" }\n'
    )
    for state, outcome in (("done", "resolved"), (True, "completed"), ("?", "unresolved"), (None, "unresolved")):
        [found] = mapped(text, {**GOOD, "state": state}).touchpoints
        assert found.event["outcome"] == outcome


KINDS = """
ignored = ["c"]
[request]
event = "body.kind"
[signature]
scheme = "token"
"""


def test_other_kinds_are_those_that_no_rule_names_and_that_are_not_ignored() -> None:
    named = RULE.replace("[[touchpoints]]", '[[touchpoints]]\nname = "named"\nevents = ["a"]')
    others = RULE.replace("[[touchpoints]]", '[[touchpoints]]\nname = "others"\nevents = ["*"]')
    text = HEAD.replace('[signature]\nscheme = "token"\n', KINDS) + named + others
    found = {kind: mapped(text, {**GOOD, "kind": kind}) for kind in ("a", "b", "c", 7)}
    assert {kind: [each.rule.name for each in found[kind].touchpoints] for kind in "ab"} == {
        "a": ["named"],
        "b": ["others"],
    }
    assert (found["c"].ignored, found[7].ignored) == ({"unwanted": 1}, {"unknown": 1})  # type: ignore[index]


def test_an_objects_members_become_attributes_and_named_ones_win() -> None:
    text = HEAD + RULE + 'attributes_from = "body.extra"\nattributes.b = "\'mine\'"\n'
    [found] = mapped(text, {**GOOD, "extra": {"a": 1, "b": "theirs", "c": None}}).touchpoints
    assert found.event["attributes"] == {"a": "1", "b": "mine"}
    [none] = mapped(text, GOOD).touchpoints
    assert (none.event["attributes"], none.problems) == ({"b": "mine"}, ())
    [wrong] = mapped(text, {**GOOD, "extra": [1]}).touchpoints
    assert [(each.code, each.path) for each in wrong.problems] == [("type", "body.extra")]


def test_words_that_the_payload_names_are_refused_in_its_words() -> None:
    text = HEAD + RULE.replace('channel = "web"', 'channel = { from = "body.where" }')
    [found] = mapped(text, {**GOOD, "where": "telex"}).touchpoints
    refused = accepted(made(text), found, NOW)
    assert isinstance(refused, Rejected)
    assert (refused.errors[0].code, refused.errors[0].path) == ("unknown_channel", "body.where")


def test_one_item_that_cannot_be_mapped_spoils_no_other() -> None:
    text = HEAD + '[request]\nitems = "body"\n' + RULE.replace("body.", "item.")
    outcome = mapped(text, [GOOD, {"customer": 8}, 7, GOOD | {"customer": 9}])
    assert [bool(each.problems) for each in outcome.touchpoints] == [False, True, True, False]
    assert outcome.touchpoints[1].problems[0].path == "item.at"


def test_a_request_without_its_list_is_refused_by_its_path() -> None:
    outcome = mapped(HEAD + '[request]\nitems = "body.events"\n' + RULE, GOOD)
    assert outcome.problem is not None
    assert (outcome.problem.code, outcome.problem.path) == ("missing", "body.events")


def test_too_many_touchpoints_are_refused_as_a_whole() -> None:
    outcome = mapped(HEAD + '[request]\nitems = "body"\n' + RULE.replace("body.", "item."), [GOOD] * 1_001)
    assert outcome.problem is not None
    assert outcome.problem.code == "too_large"


def test_a_refused_field_is_named_in_the_payloads_words() -> None:
    found = mapped(HEAD + RULE + 'currency = "upper(body.money)"\n', GOOD | {"money": "euro"}).touchpoints[0]
    error = found.in_payload(FieldError("format", "currency", "currency must be an ISO 4217 code"))
    assert error.path == "body.money"
    assert "upper(body.money)" in error.message


def test_what_was_refused_is_mapped_again_by_its_id_or_its_place() -> None:
    text = HEAD + '[request]\nitems = "body"\nid = "item.id"\n' + RULE.replace("body.", "item.")
    body = [{**GOOD, "id": "a"}, {**GOOD, "id": "b", "customer": "B"}, {**GOOD, "customer": "C"}]
    incoming = Incoming(json.dumps(body).encode())
    ids = [each.event["event_id"] for each in apply(made(text), incoming).touchpoints]
    request = restored(kept(incoming, (), 2))
    assert request is not None
    record = again(made(text), request, ids[1], NOW)
    assert isinstance(record, dict)
    assert record["customer_id"] == "B"
    without_id = text.replace('id = "item.id"\n', "")
    record = again(made(without_id), request, None, NOW)
    assert isinstance(record, dict)
    assert record["customer_id"] == "C"


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        (HEAD, "touchpoints"),
        (HEAD + RULE.replace('"web"', '"wbe"'), "touchpoints.0: channel: 'wbe' is not in the catalogue"),
        (HEAD + RULE.replace('"purchase"', '"purchas"'), "web has no touchpoint 'purchas': try purchase"),
        (HEAD + RULE.replace('"body.at"', '"body..at"'), "touchpoints.0: occurred_at: 'body..at' is not JMESPath"),
        (HEAD + RULE.replace('"body.at"', '"now()"'), "calls now(), which does not exist"),
        (HEAD + RULE.replace("occurred_at", "reference"), "touchpoints.0: occurred_at: say where"),
        (HEAD + RULE.replace("customer_id", "reference"), "touchpoints.0: customer_id: say where"),
        (HEAD + RULE + 'outcome = "fine"\n', "outcome: 'fine' is not in the catalogue"),
        (HEAD + RULE + 'outcome = { done = "resolved" }\n', "a choice needs `from`"),
        (HEAD + RULE + "colour = \"'red'\"\n", "touchpoints.0.colour"),
        (HEAD + RULE + RULE, "give each a `name` of its own"),
        (HEAD + '[request]\nevent = "body.kind"\n' + RULE, "touchpoints.0: events: name the kinds"),
        (HEAD + 'pattern = "sha256=("\n' + RULE, "signature.pattern: 'sha256=(' is no regular expression"),
        (HEAD + 'pattern = "sha256=.*"\n' + RULE, "'sha256=.*' has no group"),
        (
            HEAD + '[challenge]\nwhen = "query.."\nanswer = "query.a"\n' + RULE,
            "challenge: when: 'query..' is not JMESPath",
        ),
        (
            HEAD + '[challenge]\nwhen = "query.a"\nanswer = { a = "no()" }\n' + RULE,
            "challenge: answer.a: 'no()' calls no()",
        ),
        ("title = ", "not TOML"),
    ],
)
def test_a_wrong_mapping_says_where_and_why(wrong: str, names: str) -> None:
    with pytest.raises(MappingError) as raised:
        made(wrong)
    assert names in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_example_that_says_something_else_is_found() -> None:
    source = made(HEAD + RULE)
    gives = [{"channel": "web", "touchpoint": "purchase", "customer_id": "7", "occurred_at": GOOD["at"]}]

    def of(gives: list[dict[str, Any]], requires: list[str]) -> Fixture:
        return Fixture("one", None, {}, {}, GOOD, False, gives, requires)

    assert list(problems(source, [of(gives, ["body.at", "body.customer"])], NOW)) == []
    assert len(list(problems(source, [of([], [])], NOW))) == 1
    assert "is not in the example" in next(problems(source, [of(gives, ["body.nothing"])], NOW))
    assert "it has no example" in next(problems(source, [], NOW))


def test_an_example_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text("{}")
    with pytest.raises(MappingError, match="an example is an object"):
        read_fixture(file)
    file.write_text('{"gives": [], "wants": []}')
    with pytest.raises(MappingError, match="wants is not known"):
        read_fixture(file)


def test_secrets_of_unknown_sources_and_secrets_that_are_none_are_named_but_not_shown() -> None:
    sources = load_sources(Functions())
    with pytest.raises(MappingError, match="no source is called shopfy"):
        verifiers(sources, {"shopfy": "hush"})
    base64 = made(HEAD.replace('"token"', '"hmac"\nkey = "base64"') + RULE)
    with pytest.raises(MappingError) as raised:
        verifiers({"vendor": base64}, {"vendor": "!hush!"})
    assert "TOUCHLINE_WEBHOOK_SECRETS__VENDOR" in str(raised.value)
    assert "hush" not in str(raised.value)


def test_a_folder_that_is_none_and_a_name_that_is_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="TOUCHLINE_CHANNELS"):
        load_sources(Functions(), tmp_path / "nowhere")
    (tmp_path / "My-Source.toml").write_text(HEAD + RULE)
    with pytest.raises(MappingError, match="name it like the source"):
        load_sources(Functions(), tmp_path)
