"""Whether a request comes from who it says: each vendor's own scheme, described by its mapping, over the raw bytes.

Secrets are compared in constant time; several may be valid at once, so that they can be changed without a gap.
Pure: the present moment is an argument.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key, load_pem_public_key

from pipeline.channels.envelope import Incoming
from pipeline.channels.errors import MappingError
from pipeline.channels.mapping import Signature, Timestamp

_PART = re.compile(r"\{(body|timestamp|id|url|method|params)\}")


@dataclass(frozen=True)
class Unsigned:
    """Why a request is not believed: a stable code, and what to mend."""

    code: str
    message: str


Check = Callable[[bytes, str], bool]
"""Whether a text is the signature of these bytes."""


class Verifier:
    """Checks the requests of one source against its secrets."""

    def __init__(self, signature: Signature, secrets: Sequence[str]) -> None:
        """Raises MappingError for a secret that cannot be one of this scheme; it does not show it."""
        self._signature = signature
        self._pattern = re.compile(signature.pattern) if signature.pattern else None
        timestamp = signature.timestamp
        self._time_pattern = re.compile(timestamp.pattern) if timestamp is not None and timestamp.pattern else None
        try:
            self._checks: tuple[Check, ...] = tuple(_check(signature, secret) for secret in secrets)
        except (ValueError, TypeError) as error:
            raise MappingError(f"this is no secret for {signature.scheme} ({signature.key}): copy it whole") from error

    def check(self, incoming: Incoming, now: int) -> Unsigned | None:
        """None for a request that one of the secrets has signed within its time; else why not.

        `now` is UTC milliseconds.
        """
        name = self._signature.header
        header = incoming.headers.get(name)
        if not header:
            return Unsigned("signature_missing", f"send the header {name} as {self._signature.scheme} wants it")
        stamp = ""
        if (timestamp := self._signature.timestamp) is not None:
            stamp, problem = self._stamp(timestamp, incoming, now)
            if problem is not None:
                return problem
        signed = self._signed(incoming, stamp)
        given = list(self._given(header))
        known = [check(signed, text) for check in self._checks for text in given]
        if not any(known):
            return Unsigned("signature_wrong", f"the signature in {name} is not that of this body and our secret")
        return None

    def _stamp(self, timestamp: Timestamp, incoming: Incoming, now: int) -> tuple[str, Unsigned | None]:
        found = incoming.headers.get(timestamp.header, "")
        if self._time_pattern is not None:
            match = self._time_pattern.search(found)
            found = match.group(1) if match else ""
        moment = _milliseconds(found, timestamp.unit)
        if moment is None:
            return found, Unsigned("timestamp_missing", f"the header {timestamp.header} holds no time of signing")
        off = abs(now - moment) / 1000
        if off > timestamp.tolerance_seconds:
            message = f"signed {off:.0f} s away from now: at most {timestamp.tolerance_seconds:.0f} s are taken"
            return found, Unsigned("timestamp_old", message)
        return found, None

    def _given(self, header: str) -> Iterator[str]:
        """The signatures a header holds: during a change of secrets a vendor may send several."""
        if self._pattern is None:
            yield header.strip()
        else:
            yield from (match.group(1) for match in list(self._pattern.finditer(header))[:10])

    def _signed(self, incoming: Incoming, stamp: str) -> bytes:
        if self._signature.signed == "{body}":
            return incoming.body
        pieces = _PART.split(self._signature.signed)
        id_header = self._signature.id_header
        parts: dict[str, Callable[[], bytes]] = {
            "body": lambda: incoming.body,
            "timestamp": stamp.encode,
            "id": lambda: incoming.headers.get(id_header, "").encode() if id_header else b"",
            "url": incoming.url.encode,
            "method": incoming.method.encode,
            "params": lambda: _sorted(incoming),
        }
        return b"".join(parts[piece]() if index % 2 else piece.encode() for index, piece in enumerate(pieces))


def _sorted(incoming: Incoming) -> bytes:
    """A form's fields by name, without anything between."""
    try:
        return "".join(name + value for name, value in sorted(set(incoming.form))).encode()
    except ValueError:
        return b""


def _milliseconds(text: str, unit: str) -> int | None:
    try:
        if unit == "rfc3339":
            moment = datetime.fromisoformat(text)
            return int(moment.timestamp() * 1000) if moment.tzinfo else None
        return int(float(text) * (1000 if unit == "s" else 1))
    except (ValueError, OverflowError):
        return None


def _check(signature: Signature, secret: str) -> Check:
    if signature.scheme in {"token", "basic"}:
        return _token_check(signature, secret)
    if signature.scheme == "hmac":
        return _hmac_check(signature, secret)
    if signature.scheme == "ecdsa":
        return _public_key_check(_ecdsa_key(secret))
    return _public_key_check(_ed25519_key(secret))


def _token_check(signature: Signature, secret: str) -> Check:
    wanted = secret if signature.scheme == "token" else "Basic " + base64.b64encode(secret.encode()).decode()
    return lambda _, text: hmac.compare_digest(wanted.encode(), text.encode())


def _hmac_check(signature: Signature, secret: str) -> Check:
    key = _key(signature, secret)
    decode = _hexadecimal if signature.encoding == "hex" else _base64

    def check(signed: bytes, text: str) -> bool:
        given = decode(text)
        return given is not None and hmac.compare_digest(hmac.digest(key, signed, signature.hash), given)

    return check


def _key(signature: Signature, secret: str) -> bytes:
    secret = secret.removeprefix(signature.key_prefix)
    if signature.key == "base64":
        return base64.b64decode(secret, validate=True)
    return bytes.fromhex(secret) if signature.key == "hex" else secret.encode()


def _hexadecimal(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _public_key_check(verify: Callable[[bytes, bytes], Any]) -> Check:
    def check(signed: bytes, text: str) -> bool:
        given = _base64(text) or _hexadecimal(text)
        if given is None:
            return False
        try:
            verify(given, signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    return check


def _ecdsa_key(secret: str) -> Callable[[bytes, bytes], None]:
    """A P-256 public key, PEM or base64 of DER."""
    loaded = (
        load_pem_public_key(secret.encode()) if "BEGIN" in secret else load_der_public_key(base64.b64decode(secret))
    )
    if not isinstance(loaded, ec.EllipticCurvePublicKey):
        raise TypeError("not a key on an elliptic curve")
    return lambda given, signed: loaded.verify(given, signed, ec.ECDSA(SHA256()))


def _ed25519_key(secret: str) -> Callable[[bytes, bytes], None]:
    """A public key, base64 or hexadecimal of its 32 bytes."""
    raw = _hexadecimal(secret) or _base64(secret) or b""
    return ed25519.Ed25519PublicKey.from_public_bytes(raw).verify


def split_secrets(setting: str) -> list[str]:
    """The secrets of a setting: separated by commas or blanks, but a PEM key, which is one."""
    if "BEGIN" in setting:
        return [setting]
    return [secret for secret in re.split(r"[,\s]+", setting) if secret]
