"""Who may send webhooks: the sources that are on, and whether a request is really theirs."""

from __future__ import annotations

from starlette.requests import Request

from pipeline.channels.compiled import Source
from pipeline.channels.envelope import Incoming
from pipeline.channels.registry import sources_of, verifiers
from pipeline.collector.challenges import Challenges
from pipeline.collector.entry import Entry
from pipeline.collector.keys import Key
from pipeline.collector.refusal import Refusal
from pipeline.settings import Settings


class Senders:
    """All sources. One is on when it has a secret, or when its senders show a write key."""

    def __init__(self, settings: Settings, entry: Entry) -> None:
        """Raises MappingError for a mapping or a secret that cannot be used."""
        self._sources = sources_of(settings)
        self._verifiers = verifiers(self._sources, settings.webhook_secrets)
        self._public_url = settings.public_url.rstrip("/") if settings.public_url else None
        self._entry = entry
        self.challenges = Challenges(settings.webhook_secrets)

    def source(self, name: str) -> Source:
        """The source of this name. Raises a Refusal with status 404 for one that is unknown or off."""
        source = self._sources.get(name)
        if source is None:
            raise Refusal(404, "source_unknown", "no source has this name: see `touchline channels list`")
        if source.mapping.signature.scheme != "write_key" and name not in self._verifiers:
            message = f"source {name} is off: set TOUCHLINE_WEBHOOK_SECRETS__{name.upper()}"
            raise Refusal(404, "source_off", message)
        return source

    def incoming(self, request: Request, body: bytes) -> Incoming:
        """The request as signatures see it, with the URL by which its sender knows us."""
        url = str(request.url)
        if self._public_url is not None:
            query = f"?{request.url.query}" if request.url.query else ""
            url = self._public_url + request.url.path + query
        return Incoming(body, dict(request.headers), dict(request.query_params), url, request.method)

    def believe(self, source: Source, incoming: Incoming, now: int) -> Key | None:
        """Return for a sender that is who it says, with the write key if that is how it says so.

        Raises a Refusal else: 401, or 403 for a key that is not for this source.
        """
        if source.mapping.signature.scheme == "write_key":
            return self._entry.key(incoming.headers, source.name, public=source.mapping.signature.public)
        unsigned = self._verifiers[source.name].check(incoming, now)
        if unsigned is not None:
            raise Refusal(401, unsigned.code, unsigned.message)
        return None
