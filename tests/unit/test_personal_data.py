"""What is found in text as personal data, and, as much as that, what is not."""

from __future__ import annotations

import pytest

from pipeline.announced import announced
from pipeline.personal_data import find


def kinds(text: str, region: str | None = None, name: str = "note") -> list[tuple[str, str]]:
    return [(each.kind, text[each.start : each.end]) for each in find(text, region, announced(name))]


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        ("write to ada@example.com, please", None, [("email", "ada@example.com")]),
        ("'Ada.L+shop@mail.example.co.uk'", None, [("email", "Ada.L+shop@mail.example.co.uk")]),
        ("/unsubscribe?u=ada%40example.com&x=1", None, [("email", "ada%40example.com")]),
        ("jürgen@müller.de;ben@b.io", None, [("email", "jürgen@müller.de"), ("email", "ben@b.io")]),
        ("qty 2 4111 1111 1111 1111 123 05/27", None, [("card", "4111 1111 1111 1111")]),
        ("visa4111111111111111", None, [("card", "4111111111111111")]),
        (
            "4111 1111 1111 1111DE89370400440532013000",
            None,
            [("card", "4111 1111 1111 1111"), ("iban", "DE89370400440532013000")],
        ),
        ("3782-822463-10005", None, [("card", "3782-822463-10005")]),
        ("5555.5555.5555.4444", None, [("card", "5555.5555.5555.4444")]),
        ("\uff14" + "\uff11" * 15, None, [("card", "\uff14" + "\uff11" * 15)]),
        ("30569309025904", None, [("card", "30569309025904")]),
        ("pay to DE89 3704 0044 0532 0130 00 BITTE", None, [("iban", "DE89 3704 0044 0532 0130 00")]),
        ("iban:gb29nwbk60161331926819.", None, [("iban", "gb29nwbk60161331926819")]),
        ("MT84MALT011000012345MTLCAST001S", None, [("iban", "MT84MALT011000012345MTLCAST001S")]),
        ("call +49 171 1234567 now", None, [("phone", "+49 171 1234567")]),
        ("call 0171/1234567 or 01711234567", "DE", [("phone", "0171/1234567"), ("phone", "01711234567")]),
        ("(202) 456-1111", "US", [("phone", "(202) 456-1111")]),
        ("ada@example.com0171 1234567", "DE", [("email", "ada@example.com"), ("phone", "0171 1234567")]),
        (
            "DE89370400440532013000-4111111111111111@example.com",
            None,
            [("card", "DE89370400440532013000-4111111111111111@example.com")],
        ),
        ("4111111111111111@example.com", None, [("card", "4111111111111111@example.com")]),
    ],
)
def test_finds(text: str, region: str | None, expected: list[tuple[str, str]]) -> None:
    assert kinds(text, region) == expected


@pytest.mark.parametrize("region", [None, "DE", "US", "GB", "FR", "IN"])
@pytest.mark.parametrize(
    "text",
    [
        "2026112100001234",
        "4111111111111112",
        "1772366400000",
        "1772366400000000",
        "2026-11-21",
        "2026-11-21T10:00:00.000+01:00",
        "2026-11-21 10:00:00",
        "20261121",
        "123e4567-e89b-12d3-a456-426614174000",
        "41111111-1111-4111-8111-111111111111",
        "9b74c9897bac770ffc029102a200c5de4111111111111111",
        "978-3-16-148410-0",
        "9783161484100",
        "4006381333931",
        "5012345678900",
        "192.168.178.200",
        "53.5510846,9.9936818",
        "EUR 1.234.567,89",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Safari/604.1",
        "@touchline",
        "react@18.2.0",
        "10% off, 40% more",
        "DE89 3704 0044 0532 0130 01",
        "SKU-AB12-0001-0002",
        "1Z999AA10123456784",
        "user@localhost",
        "",
    ],
)
def test_leaves_alone(text: str, region: str | None) -> None:
    assert kinds(text, region) == []


def test_a_region_decides_what_a_local_number_is() -> None:
    assert kinds("0171 1234567") == []
    assert kinds("0171 1234567", "US") == []


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("phone", "0171 1234567", "phone"),
        ("customerPhone", "2024561111", "phone"),
        ("card_number", "4111 1111 1111 1112", "card"),
        ("card_number", "**** **** **** 1111", None),
        ("cvv", "123", "secret"),
        ("userPassword", "hunter2", "secret"),
        ("has_password", "true", None),
        ("billing.first_name", "Ada", "personal"),
        ("dateOfBirth", "1815-12-10", "personal"),
        ("IPAddress", "192.0.2.7", "personal"),
        ("phone_model", "Pixel 9", None),
        ("phone", "none", None),
        ("email", "opened", None),
        ("tooltip", "Hello", None),
        ("token_count", "5", None),
    ],
)
def test_a_name_announces_what_no_pattern_finds(name: str, text: str, kind: str | None) -> None:
    assert kinds(text, None, name) == ([(kind, text)] if kind else [])
