"""What a sender presents in its Authorization header."""

from __future__ import annotations

from base64 import b64decode

from pipeline.collector.refusal import Refusal

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="touchline"'}


def presented(authorization: str | None) -> bytes:
    """Return the key in `Bearer KEY`, or in `Basic` with the key as user name, whatever the password.

    Raises a Refusal with status 401 when there is none.
    """
    scheme, _, rest = (authorization or "").partition(" ")
    scheme, rest = scheme.lower(), rest.strip()
    if scheme == "bearer" and rest:
        return rest.encode("latin-1", "replace")
    if scheme == "basic" and (user := _user(rest)):
        return user
    message = "send the header Authorization: Bearer <write key>, or Basic with the key as user name"
    raise Refusal(401, "key_missing", message, CHALLENGE)


def _user(encoded: str) -> bytes:
    try:
        return b64decode(encoded, validate=True).partition(b":")[0]
    except ValueError:
        return b""
