"""What becomes of personal data in a record."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pipeline.errors import ConfigurationError
from pipeline.identity_hash import email_id, identity_hash, phone_id
from pipeline.privacy import Privacy
from pipeline.settings import Settings, load

CARD = "4111 1111 1111 1111"
IBAN = "DE89 3704 0044 0532 0130 00"
FIELDS: dict[str, Any] = {"customer_id": "ada@example.com"} | dict.fromkeys(
    ("reference", "staff_id", "campaign", "partner")
)


def protected(
    given: dict[str, str], privacy: Privacy | None = None, **fields: str
) -> tuple[dict[str, Any], Counter[str]]:
    tally: Counter[str] = Counter()
    record = {**FIELDS, **fields, "attributes": given}
    before = {**record, "attributes": dict(given)}
    after = (privacy or Privacy()).protect(record, tally)
    assert record == before
    return after, tally


def rules(text: str, **settings: str) -> Privacy:
    return Privacy.of(Settings(personal_data=text, **settings))


def test_masks_within_the_text_and_counts_by_kind() -> None:
    text = f"ada@example.com or ben@example.com, {CARD}, {IBAN}, +49 171 1234567"
    after, tally = protected({"note": text, "page": "/a"})
    assert after["attributes"] == {"note": "[email] or [email], [card], [iban], [phone]", "page": "/a"}
    assert tally == {"email": 2, "card": 1, "iban": 1, "phone": 1}


def test_hashes_what_can_be_joined() -> None:
    given = {"to": "Ada@Example.com", "iban": IBAN.lower(), "tel": "0171/1234567", "first_name": " Ada ", "card": CARD}
    after, tally = protected(given, rules("hash", identity_key="k", phone_region="de"))
    assert after["attributes"] == {
        "to": email_id("ada@example.com", "k"),
        "iban": "iban:" + identity_hash("DE89370400440532013000", "k"),
        "tel": phone_id("+49 171 1234567", "k", None),
        "first_name": "personal:" + identity_hash("ada", "k"),
        "card": "[card]",
    }
    assert tally.total() == 5


def test_an_address_in_a_url_has_the_hash_of_the_address() -> None:
    after, _ = protected({"page": "/u?m=ada%2Bshop%40example.com"}, rules("hash"))
    assert after["attributes"] == {"page": f"/u?m={email_id('ada+shop@example.com', '')}"}


def test_keeps_all_but_cards_and_secrets() -> None:
    given = {"note": f"ada@example.com {CARD} {IBAN}", "cvc": "123", "first_name": "Ada"}
    after, tally = protected(given, rules("keep"))
    assert after["attributes"] == {"note": f"ada@example.com [card] {IBAN}", "cvc": "[secret]", "first_name": "Ada"}
    assert tally == {"card": 1, "secret": 1}


def test_each_kind_may_have_its_own_rule() -> None:
    after, _ = protected({"note": f"ada@example.com {IBAN} +49 171 1234567"}, rules("keep, email=hash, iban=mask"))
    assert after["attributes"] == {"note": f"{email_id('ada@example.com', '')} [iban] +49 171 1234567"}


def test_a_phone_number_that_has_no_normal_form_is_masked_where_others_are_hashed() -> None:
    after, _ = protected({"phone": "0171 1234567"}, rules("hash"))
    assert after["attributes"] == {"phone": "[phone]"}


@pytest.mark.parametrize("field", ["reference", "staff_id", "campaign", "partner"])
@pytest.mark.parametrize("rule", ["mask", "hash", "keep"])
def test_cards_are_masked_in_every_text_and_nothing_else_is(field: str, rule: str) -> None:
    after, tally = protected({}, rules(rule), **{field: f"{CARD} ada@example.com"})
    assert after[field] == "[card] ada@example.com"
    assert tally == {"card": 1}


def test_ids_are_left_alone() -> None:
    after, _ = protected({"note": "ada@example.com"})
    assert after["customer_id"] == "ada@example.com"


def test_names_of_attributes_are_protected_and_stay_apart() -> None:
    after, tally = protected({"ada@example.com": "1", "ben@example.com": "2", "[email]": "3"})
    assert after["attributes"] == {"[email] 2": "1", "[email] 3": "2", "[email]": "3"}
    assert tally == {"email": 2}


def test_a_text_that_grows_stays_within_its_limit() -> None:
    after, _ = protected({"note": "a@b.cc " * 142}, rules("hash"))
    assert len(after["attributes"]["note"]) == 1000


def test_a_record_without_personal_data_is_the_same_record() -> None:
    record = {**FIELDS, "attributes": {"page": "/a", "order": "2026112100001234"}}
    assert Privacy().protect(record, Counter()) == record


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    load.cache_clear()
    yield monkeypatch.setenv
    load.cache_clear()


@pytest.mark.parametrize("text", ["drop", "email=drop", "card=keep", "=mask", "nonsense=mask", "mask,email"])
def test_a_rule_that_cannot_be_is_named(text: str, setting: Callable[[str, str], None]) -> None:
    setting("TOUCHLINE_PERSONAL_DATA", text)
    with pytest.raises(
        ConfigurationError, match=r"^TOUCHLINE_PERSONAL_DATA: '.*' is .* \(email, phone, iban, personal\)"
    ):
        load()


def test_a_region_that_cannot_be_is_named(setting: Callable[[str, str], None]) -> None:
    setting("TOUCHLINE_PHONE_REGION", "xx")
    with pytest.raises(ConfigurationError, match=r"^TOUCHLINE_PHONE_REGION: 'xx' is no country code"):
        load()
