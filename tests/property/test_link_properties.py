"""A link leads to its target, and names no customer it was not made for, whatever comes."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from pipeline.link_targets import host_of, target_problem, utm_of, with_parameters
from pipeline.link_tokens import Signer
from pipeline.links import Link, read

SIGNER = Signer("a-key-of-the-properties")
texts = st.text(max_size=60)
codes = st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True)
customers = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
urlish = st.text(st.sampled_from("htps:/\\@.?#[]%&=-aé\r\n\t 019"), max_size=30)
targets = st.builds(str.__add__, st.sampled_from(["https://", "http://", "HTTP://a", "//", "https:", ""]), urlish)

hosts = st.from_regex(r"[a-z0-9]{1,9}(\.[a-z0-9]{1,9}){0,2}(:[1-9][0-9]{0,3})?", fullmatch=True)
rests = st.builds(
    str.__add__, st.sampled_from(["", "/", "?", "#"]), st.text(st.sampled_from("/.?#[]%&=-a019"), max_size=30)
)
good_targets = st.builds("{}{}{}".format, st.sampled_from(["https://", "http://", "HTTP://"]), hosts, rests).filter(
    lambda target: target_problem(target) is None
)


@given(targets)
def test_a_good_target_is_one_to_every_reader(target: str) -> None:
    if target_problem(target) is None:
        split = urlsplit(target)
        assert split.scheme in {"http", "https"} and split.hostname == host_of(target)
        assert target.isascii() and target.isprintable() and not {*" \\\r\n"} & {*target}
        assert "@" not in split.netloc


@given(good_targets, st.dictionaries(texts | st.just("utm_id"), texts))
def test_no_query_changes_where_a_link_leads(target: str, query: dict[str, str]) -> None:
    utm = utm_of({**query, "utm_source": query.get("utm_id", "x")})
    location = with_parameters(target, utm)
    before, after = urlsplit(target), urlsplit(location)
    assert (before[:3], before.fragment) == (after[:3], after.fragment)
    assert set(parse_qsl(before.query)) <= set(parse_qsl(after.query))
    assert not {*"\r\n "} & {*location} and location.isascii()


@given(st.text())
def test_reading_never_fails(text: str) -> None:
    links, problems = read(text)
    assert problems or links
    assert all(isinstance(link, Link) for link in links.values())


@given(codes, customers)
def test_a_token_comes_back(code: str, customer: str) -> None:
    assert SIGNER.customer(code, SIGNER.token(code, customer)) == customer


@given(codes, codes, customers, st.text(max_size=300))
def test_no_other_token_is_taken(code: str, other: str, customer: str, wrong: str) -> None:
    token = SIGNER.token(code, customer)
    assert wrong == token or SIGNER.customer(code, wrong) is None
    assert other == code or SIGNER.customer(other, token) is None


@given(codes, customers, st.data())
def test_one_changed_character_spoils_a_token(code: str, customer: str, data: st.DataObject) -> None:
    token = SIGNER.token(code, customer)
    place = data.draw(st.integers(0, len(token) - 1))
    put = data.draw(st.characters().filter(lambda character: character != token[place]))
    assert SIGNER.customer(code, token[:place] + put + token[place + 1 :]) is None
    assert SIGNER.customer(code, token[:place]) is None
