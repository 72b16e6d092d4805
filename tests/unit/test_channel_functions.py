"""The functions of expressions, by example."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.channels.expressions import FAILURES, Expression
from pipeline.channels.functions import Functions

FUNCTIONS = Functions(identity_key="k", region="DE")


@pytest.mark.parametrize(
    ("text", "value", "wanted"),
    [
        ("unix(@)", 1772366400, "2026-03-01T12:00:00.000+00:00"),
        ("unix(@)", "1772366400.25", "2026-03-01T12:00:00.250+00:00"),
        ("unix_ms(@)", 1772366400250, "2026-03-01T12:00:00.250+00:00"),
        ("utc(@)", "2026-03-01 12:00:00", "2026-03-01T12:00:00+00:00"),
        ("utc(@)", "2026-03-01 12:00:00 UTC", "2026-03-01T12:00:00+00:00"),
        ("utc(@)", "2026-03-01T12:00:00+01:00", "2026-03-01T12:00:00+01:00"),
        ("rfc2822(@)", "Sun, 01 Mar 2026 12:00:00 +0100", "2026-03-01T12:00:00+01:00"),
        ("between(a, b)", {"a": "2026-03-01T12:00:00Z", "b": "2026-03-01T12:00:01.5Z"}, 1500),
        ("between(b, a)", {"a": "2026-03-01T12:00:00Z", "b": "2026-03-01T12:00:01.5Z"}, None),
        ("milliseconds(@)", "1.5", 1500),
        ("minor(a, b)", {"a": 1999, "b": "usd"}, 19.99),
        ("minor(a, b)", {"a": 1999, "b": "JPY"}, 1999.0),
        ("minor(a, b)", {"a": 1999, "b": "KWD"}, 1.999),
        ("rescaled(@, `0`, `10`, `1`, `5`)", 10, 5.0),
        ("lower(@)", "ABC", "abc"),
        ("upper(@)", "eur", "EUR"),
        ("id('zendesk', @)", 35436, "zendesk:35436"),
        ("id('zendesk', @)", "", None),
        ("split(@, '/')[-1]", "gid://shop/Order/7", "7"),
        ("parsed(@).call.sid", '{"call": {"sid": "CA1"}}', "CA1"),
        ("custom(@)", "Song Played!", "x_song_played"),
        ("custom(@)", "!", None),
        ("plain(@)", "<p>Not <b>good</b> &amp; slow</p>", "Not good & slow"),
        ("fingerprint(a) == fingerprint(b)", {"a": {"x": 1, "y": "z"}, "b": {"y": "z", "x": 1}}, True),
        ("fingerprint(a) == fingerprint(b)", {"a": {"x": 1}, "b": {"x": 2}}, False),
        ("email_id(@) == email_id('ada@example.com')", " Ada@Example.com", True),
        ("email_id(@)", "no address", None),
        ("phone_id(@) == phone_id('+4930123456')", "030 123456", True),
        ("hmac_sha256('key', @)", "text", "6afa9046a9579cad143a384c1b564b9a250d27d6f6a63f9f20bf3a7594c9e2c6"),
    ],
)
def test_gives(text: str, value: Any, wanted: Any) -> None:
    assert Expression(text, FUNCTIONS).get(value) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "unix(@)",
        "unix_ms(@)",
        "utc(@)",
        "rfc2822(@)",
        "between(@, @)",
        "milliseconds(@)",
        "minor(@, @)",
        "lower(@)",
        "parsed(@)",
        "upper(@)",
        "id(@)",
        "split(@, ',')",
        "custom(@)",
        "plain(@)",
        "fingerprint(@)",
        "email_id(@)",
        "phone_id(@)",
        "hmac_sha256(@, @)",
        "rescaled(@, `0`, `1`, `0`, `1`)",
    ],
)
def test_nothing_gives_nothing(text: str) -> None:
    assert Expression(text, FUNCTIONS).get(None) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("unix(@)", True),
        ("unix(@)", "soon"),
        ("unix(@)", 1e300),
        ("utc(@)", "1 March"),
        ("rfc2822(@)", "1 March"),
        ("between(a, b)", {"a": "2026-03-01T12:00:00", "b": "2026-03-01T12:00:00Z"}),
        ("minor(@, 'EUR')", "much"),
        ("lower(@)", [1]),
        ("rescaled(@, `1`, `1`, `0`, `1`)", 1),
    ],
)
def test_what_cannot_be_is_said_in_words(text: str, value: Any) -> None:
    with pytest.raises(FAILURES) as raised:
        Expression(text, FUNCTIONS).get(value)
    assert str(raised.value)


def test_parsed_refuses_what_is_no_json() -> None:
    with pytest.raises(FAILURES, match="not JSON"):
        Expression("parsed(@)", FUNCTIONS).get("{half")
