"""Sessions of the console: what a cookie is worth, and what a form's token is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.console.session import LASTS_SECONDS, LONGEST_NAME, Sessions

NOW = 1_800_000_000


def test_a_session_lasts_a_working_day() -> None:
    sessions = Sessions(b"secret")
    cookie = sessions.begin("Eva", NOW)
    session = sessions.read(cookie, NOW + LASTS_SECONDS - 1)
    assert session is not None
    assert session.by == "Eva"
    assert sessions.read(cookie, NOW + LASTS_SECONDS) is None


def test_another_key_reads_no_cookie_of_this_one() -> None:
    assert Sessions(b"other").read(Sessions(b"secret").begin("Eva", NOW), NOW) is None


@given(st.text())
def test_what_is_not_ours_is_no_session(cookie: str) -> None:
    assert Sessions(b"secret").read(cookie, NOW) is None


@given(st.data())
def test_a_changed_cookie_is_no_session(data: st.DataObject) -> None:
    cookie = Sessions(b"secret").begin("Eva", NOW)
    at = data.draw(st.integers(0, len(cookie.rpartition(".")[0]) - 1))
    other = data.draw(st.sampled_from("abcXYZ019-_.")).replace(cookie[at], "~")
    assert Sessions(b"secret").read(cookie[:at] + other + cookie[at + 1 :], NOW) is None


def test_who_has_signed_out_is_out_though_the_cookie_was_kept() -> None:
    sessions = Sessions(b"secret")
    mine, others = sessions.begin("Eva", NOW), sessions.begin("Kim", NOW)
    session = sessions.read(mine, NOW)
    assert session is not None
    sessions.end(session, NOW)
    assert sessions.read(mine, NOW) is None
    assert sessions.read(others, NOW) is not None


def test_a_token_is_good_for_its_session_alone() -> None:
    sessions = Sessions(b"secret")
    mine, others = (sessions.read(sessions.begin(name, NOW), NOW) for name in ("Eva", "Eva"))
    assert mine is not None
    assert others is not None
    assert sessions.is_from(mine, mine.token)
    for wrong in ("", others.token, mine.token[:-1], "\udc80"):
        assert not sessions.is_from(mine, wrong)


def test_a_name_may_be_anything_but_long() -> None:
    sessions = Sessions(b"secret")
    session = sessions.read(sessions.begin("é\u202e<b>" * 100, NOW), NOW)
    assert session is not None
    assert session.by == ("é\u202e<b>" * 100)[:LONGEST_NAME]
