"""Who is signed in: a signed cookie that expires, and the token by which a form shows that it is ours. Pure."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

from itsdangerous import BadSignature, URLSafeSerializer

LASTS_SECONDS = 10 * 3600
"""A working day, after which one signs in again."""

LONGEST_NAME = 100


@dataclass(frozen=True)
class Session:
    """Somebody signed in: who, as they said (may be empty), until when (seconds since 1970), and the forms' token."""

    id: str
    by: str
    until: int
    token: str


class Sessions:
    """Makes and reads the cookies of one read key; with another key none of them holds any more.

    Nothing is stored but who signed out. That is this process's: with several collectors behind one address, a cookie
    that was copied before holds at the others until it expires.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._cookies = URLSafeSerializer(secret, salt="touchline.console.session", signer_kwargs=_SIGNER)
        self._ended: dict[str, int] = {}

    def begin(self, by: str, now: int) -> str:
        """The cookie of a new session."""
        made = {"id": secrets.token_urlsafe(16), "by": by[:LONGEST_NAME], "until": now + LASTS_SECONDS}
        return self._cookies.dumps(made)

    def read(self, cookie: str, now: int) -> Session | None:
        """The session of a cookie; None when it is not one of ours, too old, or of somebody who has signed out."""
        try:
            kept = self._cookies.loads(cookie)
        except BadSignature:
            return None
        if kept["until"] <= now or kept["id"] in self._ended:
            return None
        return Session(kept["id"], kept["by"], kept["until"], self._token(kept["id"]))

    def end(self, session: Session, now: int) -> None:
        """Sign out: the cookie holds no longer, here."""
        self._ended = {each: until for each, until in self._ended.items() if until > now}
        self._ended[session.id] = session.until

    def is_from(self, session: Session, token: str) -> bool:
        """Whether a form with this token was made for this session."""
        return hmac.compare_digest(session.token.encode(), token.encode("utf-8", "replace"))

    def _token(self, session_id: str) -> str:
        return hmac.new(self._secret, b"form " + session_id.encode(), "sha256").hexdigest()


_SIGNER = {"key_derivation": "hmac", "digest_method": "sha256"}
