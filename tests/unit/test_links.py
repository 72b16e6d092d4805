"""The registry of short links: what is read, and what is refused, by key and fix."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigurationError
from pipeline.link_targets import checked_public, host_of, target_problem, utm_of, with_parameters
from pipeline.links import read

GOOD = """
[links.spring]
target = "https://shop.example/spring?from=mail#top"
campaign = "spring-sale"
partner = "post"
reference = "mail-7"
stage = "loyalty"
attributes = { place = "footer" }
expires = 2026-12-31T23:59:59+01:00
pass_query = true

[links.Poster_1]
target = "http://shop.example:8080"
kind = "qr"
"""


def test_all_that_a_link_may_have() -> None:
    links, problems = read(GOOD)
    assert not problems
    spring, poster = links["spring"], links["Poster_1"]
    assert (spring.expires, spring.pass_query) == (1_798_757_999_000, True)
    assert not spring.expired(1_798_757_998_999)
    assert spring.expired(1_798_757_999_000)
    assert not poster.expired(2**60)
    event = spring.touchpoint("2026-11-01T00:00:00Z", {"browser": "firefox"}, customer_id="ada")
    assert event == {
        "customer_id": "ada",
        "occurred_at": "2026-11-01T00:00:00Z",
        "channel": "link",
        "touchpoint": "link_click",
        "campaign": "spring-sale",
        "partner": "post",
        "reference": "mail-7",
        "stage": "loyalty",
        "attributes": {
            "place": "footer",
            "link": "spring",
            "target_host": "shop.example",
            "browser": "firefox",
        },
    }
    assert poster.touchpoint("", {})["touchpoint"] == "qr_scan"


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("[links", "", "not TOML"),
        ("", "links", "no links"),
        ("links = 3", "links", "no links"),
        ("[link.a]", "link", "only links"),
        ("[links]\na = 3", "links.a", "must be a table"),
        ('[links."a b"]', "links.a b", "1 to 64"),
        ("[links.a]", "links.a.target", "required"),
        ("[links.a]\ntarget = 3", "links.a.target", "string"),
        ('[links.a]\ntargt = "https://shop.example"', "links.a.targt", "did you mean target?"),
        ('[links.a]\ntarget = "https://shop.example"\nplace = "x"', "links.a.place", "attributes"),
        ('[links.a]\ntarget = "https://shop.example"\nkind = "qrcode"', "links.a.kind", "'link' or 'qr'"),
        ('[links.a]\ntarget = "https://shop.example"\nexpires = 2026-01-01', "links.a.expires", "offset"),
        ('[links.a]\ntarget = "https://shop.example"\nexpires = 2026-01-01T00:00:00', "links.a.expires", "offset"),
        ('[links.a]\ntarget = "https://shop.example"\nexpires = "2026-01-01T00:00:00Z"', "links.a.expires", "quotes"),
        ('[links.a]\ntarget = "https://shop.example"\nexpires = 1900-01-01T00:00:00Z', "links.a.expires", "1971"),
        ('[links.a]\ntarget = "https://shop.example"\nattributes = {a = 1}', "links.a.attributes.a", "string"),
        ('[links.a]\ntarget = "https://shop.example"\nattributes = {link = "x"}', "links.a.attributes.link", "itself"),
        ('[links.a]\ntarget = "https://shop.example"\nstage = "buy"', "links.a.stage", "awareness"),
        (f'[links.a]\ntarget = "https://shop.example"\ncampaign = "{"c" * 201}"', "links.a.campaign", "200"),
        ('[links.a]\ntarget = "javascript:alert(1)"', "links.a.target", "https://"),
    ],
)
def test_what_is_wrong_is_named(text: str, path: str, says: str) -> None:
    links, problems = read(text)
    assert not links
    assert path in [problem.path for problem in problems]
    assert any(says in problem.message for problem in problems)


def test_parameters_that_are_handed_on_are_not_attributes_of_ones_own() -> None:
    text = '[links.a]\ntarget = "https://shop.example"\nattributes = {utm_source = "x"}\npass_query = '
    assert read(text + "false")[1] == ()
    assert [problem.path for problem in read(text + "true")[1]] == ["links.a.attributes.utm_source"]


def test_more_attributes_than_a_touchpoint_can_hold() -> None:
    def text(count: int, length: int) -> str:
        attributes = ", ".join(f'a{number} = "{"ä" * length}"' for number in range(count))
        return f'[links.a]\ntarget = "https://shop.example"\nattributes = {{ {attributes} }}'

    assert not read(text(47, 100))[1]
    assert [problem.path for problem in read(text(48, 100))[1]] == ["links.a.attributes"]
    assert [problem.code for problem in read(text(40, 900))[1]] == ["too_large"]


def test_a_problem_of_one_link_spoils_no_other_and_all_are_told() -> None:
    links, problems = read(GOOD + '[links.a]\ntarget = "x"\n[links.b]\ntarget = "y"\nkind = "z"')
    assert set(links) == {"spring", "Poster_1"}
    assert [problem.path for problem in problems] == ["links.a.target", "links.b.kind"]


@pytest.mark.parametrize(
    "target",
    [
        "",
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:///evil.example",
        "https://",
        "https://?x",
        "https://:80/",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://shop.example",
        " https://shop.example",
        "https://shop.example\r\nSet-Cookie: a=b",
        "https://shop.example\t",
        "https://shop.example\\@evil.example",
        "https://shop.example@evil.example",
        "https://shöp.example",
        "https://shop.example:port",
        "https://shop.example:70000",
        "https://shop.example:0",
        "https://[::1",
        "https://-a.example",
        "https://a..example",
        "https://a%2eexample",
        "https://" + "a" * 64 + ".example",
        "https://shop.example/" + "a" * 2048,
    ],
)
def test_targets_that_lead_elsewhere_or_nowhere(target: str) -> None:
    assert target_problem(target)


@pytest.mark.parametrize(
    "target",
    [
        "https://shop.example",
        "HTTPS://Shop.Example:8443/a?b=c&d#e",
        "http://127.0.0.1:80/",
        "http://[::1]:80/",
        "http://x.",
    ],
)
def test_targets(target: str) -> None:
    assert target_problem(target) is None
    assert host_of(target) in {"shop.example", "127.0.0.1", "::1", "x."}


def test_parameters_handed_on() -> None:
    assert utm_of({"utm_source": "mail", "utm_term": "", "utm_evil": "x", "c": "t"}) == {"utm_source": "mail"}
    added = {"utm_source": "a b&c", "utm_medium": "x"}
    assert with_parameters("https://s.example/p?utm_medium=m#f", added) == (
        "https://s.example/p?utm_medium=m&utm_source=a+b%26c#f"
    )
    assert with_parameters("https://s.example", {"utm_id": "1"}) == "https://s.example?utm_id=1"
    assert with_parameters("https://s.example/?a=&b", {}) == "https://s.example/?a=&b"


def test_the_public_address() -> None:
    assert checked_public(None) is None
    assert checked_public("https://go.shop.example") == "https://go.shop.example"
    for wrong in ("go.shop.example", "https://go.shop.example/?a=1"):
        with pytest.raises(ConfigurationError, match="TOUCHLINE_LINK_URL"):
            checked_public(wrong)
