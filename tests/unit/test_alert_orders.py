"""What people may order, and that whatever they send is taken or refused by the name of a field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.alerts.orders import acknowledged, length_of, snoozed
from pipeline.alerts.policy import DAY
from pipeline.model import ContractError
from schemas.codec import Decoder, Encoder

ID = "0b9f8d1e-58a4-5c1e-9a0f-2f4f9b0c7d11"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=2), max_leaves=3
)


def test_lengths() -> None:
    assert [length_of(text) for text in ("30m", "12h", "7d", "0d")] == [1_800_000, 43_200_000, 7 * DAY, 0]
    for wrong in ("7", "7w", "-1d", "1.5d", "367d", "", None, 7, "9999999d"):
        with pytest.raises(ContractError, match="30m, 12h or 7d"):
            length_of(wrong)


def test_the_same_acknowledgement_again_is_the_same_row() -> None:
    first, second = (acknowledged(ID, {"customer_id": "ann"}, now) for now in (1, 2))
    assert first["alert_id"] == second["alert_id"] != ID
    assert first["about"] == ID


@given(st.text(max_size=40), st.dictionaries(st.sampled_from(["customer_id", "by", "for", "why"]), JSON) | JSON)
def test_whatever_is_ordered_fits_the_contract_or_is_refused(text: str, given_: object) -> None:
    encode, decode = Encoder("alerts"), Decoder("alerts")
    for made in (acknowledged, snoozed):
        for name in (text, ID):
            try:
                record = made(name, given_, 1_700_000_000_000)
            except ContractError as error:
                assert str(error)
            else:
                assert decode(encode(record)) == record
