"""What the name of an attribute announces about its value: personal data that no pattern would find. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_ENDINGS = {
    "card": "card_number card_no cc_number credit_card debit_card pan",
    "phone": "phone phone_number telephone telephone_number tel mobile_number mobile_phone cell_phone fax msisdn",
    "secret": "password passwd passphrase secret cvv cvv2 cvc cvc2 card_pin security_code access_token auth_token "
    "refresh_token session_token api_key authorization",
    "personal": "first_name last_name surname full_name maiden_name customer_name street street_address postal_address "
    "home_address billing_address shipping_address delivery_address date_of_birth birth_date birthday dob ssn "
    "social_security_number national_id tax_id passport_number ip ip_address",
}
_KINDS = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings.split()}
_LONGEST = max(ending.count("_") for ending in _KINDS) + 1


@lru_cache(maxsize=4096)
def announced(name: str) -> str | None:
    """The kind of personal data that an attribute of this name holds, whatever its value looks like.

    The last words decide: `customerPhone` and `billing.phone_number` are phones, `phone_model` is none.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    endings = ("_".join(words[-count:]) for count in range(min(_LONGEST, len(words)), 0, -1))
    return next((_KINDS[ending] for ending in endings if ending in _KINDS), None)
