"""Answers to vendors that ask, before they send anything, whether this endpoint is ours."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from starlette.responses import PlainTextResponse, Response

from pipeline.channels.compiled import Source
from pipeline.channels.envelope import Incoming
from pipeline.channels.envelope import read as read_body
from pipeline.channels.expressions import FAILURES
from pipeline.channels.signatures import split_secrets
from pipeline.collector.refusal import Refusal


class Challenges:
    """Answers the challenges of the sources that make them."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = secrets

    def unsigned(self, source: Source, incoming: Incoming) -> Response | None:
        """The answer to a challenge that its vendor does not sign; None when this is no challenge."""
        return self._answer(source, incoming, signed=False)

    def signed(self, source: Source, incoming: Incoming) -> Response | None:
        """The answer to a challenge that its vendor signs, as it has been checked to be."""
        return self._answer(source, incoming, signed=True)

    def _answer(self, source: Source, incoming: Incoming, *, signed: bool) -> Response | None:
        known, given = source.challenge, source.mapping.challenge
        if known is None or given is None or given.signed is not signed or given.method != incoming.method:
            return None
        body = read_body(incoming, source.mapping.request.format)[0] if incoming.body else None
        secret = (split_secrets(self._secrets.get(source.name, "")) or [""])[0]
        context = {"headers": incoming.headers, "query": incoming.query, "body": body, "secret": secret}
        try:
            if not known.when.get(context):
                return None
            if known.token is not None:
                self._check(source, known.token.get(context))
            if isinstance(known.answer, dict):
                content = {name: each.get(context) for name, each in known.answer.items()}
                return Response(to_json(content), media_type="application/json")
            return PlainTextResponse(str(known.answer.get(context)))
        except FAILURES as error:
            raise Refusal(400, "challenge", f"the challenge cannot be answered: {error}") from error

    def _check(self, source: Source, token: Any) -> None:
        """Return for the token that we agreed with the vendor. Raises a Refusal with status 401 else."""
        wanted = split_secrets(self._secrets.get(f"{source.name}_verify", ""))
        given = token.encode() if isinstance(token, str) else b""
        known = [hmac.compare_digest(each.encode(), given) for each in wanted]
        if not any(known):
            name = f"TOUCHLINE_WEBHOOK_SECRETS__{source.name.upper()}_VERIFY"
            raise Refusal(401, "challenge_token", f"the challenge does not name the token that {name} holds")
