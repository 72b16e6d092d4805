"""Tokens of short links: they name a customer only as they were made."""

from __future__ import annotations

import pytest

from pipeline.errors import ConfigurationError
from pipeline.link_tokens import Signer, customer_problem

OLD, NEW = "the-first-secret-key", "the-second-secret-key"


def test_a_token_names_its_customer() -> None:
    signer = Signer(NEW)
    token = signer.token("spring", "käufer 1")
    assert signer.customer("spring", token) == "käufer 1"
    assert token.replace("_", "").replace("-", "").replace(".", "").isalnum()


def test_forged_truncated_or_of_another_link() -> None:
    signer = Signer(NEW)
    token, bens = signer.token("spring", "ada"), signer.token("spring", "ben")
    claimed, _, mac = token.partition(".")
    for wrong in (
        "",
        ".",
        claimed,
        claimed + ".",
        token[:-1],
        token + "A",
        token + "=",
        token + "\n",
        token + ".x",
        f"{bens.partition('.')[0]}.{mac}",
        f"{claimed}=.{mac}",
        f"{claimed}\u00e9.{mac}",
        "\ud800",
        "A" * 100_000,
        "/w." + mac,
        "gA." + mac,
    ):
        assert signer.customer("spring", wrong) is None, wrong
    assert signer.customer("summer", token) is None
    assert Signer(OLD).customer("spring", token) is None
    assert Signer("").customer("spring", token) is None


def test_keys_can_be_changed() -> None:
    before = Signer(OLD).token("spring", "ada")
    both = Signer(f"{NEW}, {OLD}")
    assert both.customer("spring", before) == "ada"
    assert both.token("spring", "ada") == Signer(NEW).token("spring", "ada")


def test_settings_that_cannot_sign() -> None:
    with pytest.raises(ConfigurationError, match="TOUCHLINE_LINK_KEY"):
        Signer("short")
    with pytest.raises(ConfigurationError, match="TOUCHLINE_LINK_KEY"):
        Signer(" , ").token("spring", "ada")


def test_customers_that_cannot_be() -> None:
    assert customer_problem("ada") is None
    for wrong in ("", "a" * 201, "anon:ada"):
        assert customer_problem(wrong)
