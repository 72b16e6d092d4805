"""Signs a request as its vendor would, from what the mapping says of the vendor's way."""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

from pipeline.channels.envelope import Incoming
from pipeline.channels.mapping import Signature


@dataclass(frozen=True)
class Signer:
    """A vendor: `secret` is what we are told of it."""

    signature: Signature
    secret: str
    private: Any = None

    def sign(self, incoming: Incoming, now: int) -> Incoming:
        """The request with the headers that prove it; `now` is UTC milliseconds."""
        scheme = self.signature
        headers = dict(incoming.headers)
        stamp = ""
        if scheme.timestamp is not None:
            stamp = _stamp(now, scheme.timestamp.unit)
            headers[scheme.timestamp.header] = stamp
        if scheme.id_header is not None:
            headers.setdefault(scheme.id_header, "msg_" + secrets.token_hex(8))
        signed = _signed(scheme, replace(incoming, headers=headers), stamp)
        headers[scheme.header] = self._header(self._proof(signed), stamp)
        return replace(incoming, headers=headers)

    def _proof(self, signed: bytes) -> str:
        scheme = self.signature
        if scheme.scheme == "token":
            return self.secret
        if scheme.scheme == "basic":
            return "Basic " + base64.b64encode(self.secret.encode()).decode()
        if scheme.scheme == "ecdsa":
            return base64.b64encode(self.private.sign(signed, ec.ECDSA(SHA256()))).decode()
        if scheme.scheme == "ed25519":
            return self.private.sign(signed).hex()
        key = self.secret.removeprefix(scheme.key_prefix)
        raw = {"text": key.encode, "base64": lambda: base64.b64decode(key), "hex": lambda: bytes.fromhex(key)}[
            scheme.key
        ]()
        digest = hmac.digest(raw, signed, scheme.hash)
        return digest.hex() if scheme.encoding == "hex" else base64.b64encode(digest).decode()

    def _header(self, proof: str, stamp: str) -> str:
        """The pattern the other way round: its first group becomes the proof."""
        scheme = self.signature
        if scheme.pattern is None:
            return proof
        before = scheme.pattern[: scheme.pattern.index("(")].replace("\\", "").removeprefix("^").removeprefix("(?:")
        shared = scheme.timestamp is not None and scheme.timestamp.header == scheme.header
        return f"t={stamp},{before}{proof}" if shared else before + proof


def signer(signature: Signature, secret: str | None = None) -> Signer:
    """A vendor of this scheme with a secret of its own."""
    if signature.scheme == "ecdsa":
        private = ec.generate_private_key(ec.SECP256R1())
        public = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return Signer(signature, base64.b64encode(public).decode(), private)
    if signature.scheme == "ed25519":
        key = ed25519.Ed25519PrivateKey.generate()
        return Signer(signature, key.public_key().public_bytes_raw().hex(), key)
    made = secret or secrets.token_hex(16)
    if secret is None and signature.key == "base64":
        made = signature.key_prefix + base64.b64encode(secrets.token_bytes(24)).decode()
    return Signer(signature, "user:" + made if signature.scheme == "basic" and ":" not in made else made)


def _stamp(now: int, unit: str) -> str:
    if unit == "rfc3339":
        return datetime.fromtimestamp(now / 1000, UTC).isoformat()
    return str(now // 1000 if unit == "s" else now)


def _signed(scheme: Signature, incoming: Incoming, stamp: str) -> bytes:
    parts = {
        "{timestamp}": stamp.encode(),
        "{id}": incoming.headers.get(scheme.id_header or "", "").encode(),
        "{url}": incoming.url.encode(),
        "{method}": incoming.method.encode(),
        "{params}": b"",
        "{body}": incoming.body,
    }
    if "{params}" in scheme.signed:
        parts["{params}"] = "".join(name + value for name, value in sorted(incoming.form)).encode()
    signed = scheme.signed.encode()
    for name, value in parts.items():
        signed = signed.replace(name.encode(), value, 1)
    return signed
