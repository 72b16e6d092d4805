"""A Confluent-compatible schema registry over HTTP: asked at the start for our ids, later for those met."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from dataclasses import dataclass
from typing import Any, Self, cast
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import httpx

from pipeline.errors import ConfigurationError, UnavailableError
from pipeline.settings import Settings
from schemas.contracts import SUBJECTS, Avro, latest
from schemas.ids import Ids, LocalIds
from schemas.registered import RegisteredIds

log = logging.getLogger(__name__)

_MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
_ANSWER_SECONDS = 5.0
_BACKOFF_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_SCHEMA_NOT_FOUND = 40403
_NOT_REGISTERED = {40401, _SCHEMA_NOT_FOUND}
_LATER = {408, 425, 429}


async def schema_ids(settings: Settings) -> Ids:
    """The ids to write and read with; with a registry, the latest contracts are registered first.

    Raises UnavailableError when the registry is out of reach, ConfigurationError when it refuses.
    """
    registry = Registry.of(settings)
    if registry is None:
        return LocalIds(settings.schemas)
    own = {subject: await registry.register(f"{subject}-value", latest(subject).schema) for subject in SUBJECTS}
    return RegisteredIds(registry, own)


async def schema_ids_at_last(settings: Settings) -> Ids:
    """As `schema_ids`, however long the registry is out of reach."""
    tries = 0
    while True:
        try:
            return await schema_ids(settings)
        except UnavailableError as error:
            log.warning("not ready: %s", error)
            await asyncio.sleep(_BACKOFF_SECONDS[min(tries, len(_BACKOFF_SECONDS) - 1)])
            tries += 1


def reading_ids(settings: Settings) -> Ids:
    """The ids of a command that only reads: it registers nothing."""
    registry = Registry.of(settings)
    return LocalIds(settings.schemas) if registry is None else RegisteredIds(registry, {})


@dataclass(frozen=True)
class Answer:
    """What the registry said: the HTTP status, its own code for an error, and the body."""

    status: int
    code: int
    body: Any


class Registry:
    """One registry. Every call opens a connection of its own: there are a few in the life of a process."""

    def __init__(self, url: str, auth: tuple[str, str] | None = None, verify: ssl.SSLContext | bool = True) -> None:
        self._url = url.rstrip("/")
        self._auth = auth
        self._verify = verify

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """The registry that the settings name, if any. Raises ConfigurationError for a URL or file of no use."""
        if settings.schema_registry_url is None:
            return None
        parts = urlsplit(settings.schema_registry_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigurationError("TOUCHLINE_SCHEMA_REGISTRY_URL must look like http(s)://[user:password@]host:8081")
        address = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
        user = unquote(parts.username or "") or settings.schema_registry_user
        password = unquote(parts.password or "") or settings.schema_registry_password
        return cls(address, (user, password) if user else None, _trust(settings))

    async def schema(self, schema_id: int) -> Avro | None:
        """The schema of an id; None only where the registry says that there is none.

        Raises UnavailableError when it says anything else or nothing. A schema that is not Avro is given as its kind.
        """
        answer = await self._ask("GET", f"/schemas/ids/{schema_id}")
        if answer.code == _SCHEMA_NOT_FOUND:
            return None
        text = self._field(answer, "schema")
        if (kind := answer.body.get("schemaType", "AVRO")) != "AVRO":
            return {"type": kind}
        try:
            return cast(Avro, json.loads(text))
        except (TypeError, ValueError) as error:
            raise UnavailableError(f"{self._named} gave no schema for id {schema_id}: is it a registry?") from error

    async def register(self, subject: str, schema: Avro) -> int:
        """The id of a schema under a subject, registered unless it is already; looking first needs no right to write.

        Raises UnavailableError when the registry is out of reach, ConfigurationError when it refuses the schema.
        """
        given = {"schema": json.dumps(schema)}
        answer = await self._ask("POST", f"/subjects/{quote(subject)}", given)
        if answer.code in _NOT_REGISTERED:
            answer = await self._ask("POST", f"/subjects/{quote(subject)}/versions", given)
        if answer.status in {401, 403}:
            raise ConfigurationError(f"{self._named} refused our credentials for {subject}: {_words(answer)}")
        if answer.status == 409:
            raise ConfigurationError(
                f"{self._named} refused this version's schema of {subject} as incompatible with a registered one: "
                f"{await self._incompatibility(subject, given) or _words(answer)}"
            )
        if answer.status == 422:
            raise ConfigurationError(f"{self._named} refused the schema of {subject} as invalid: {_words(answer)}")
        return int(self._field(answer, "id"))

    async def _incompatibility(self, subject: str, given: dict[str, str]) -> str:
        """Why the registry finds a schema incompatible, in its own words, as far as it says."""
        path = f"/compatibility/subjects/{quote(subject)}/versions/latest?verbose=true"
        answer = await self._ask("POST", path, given)
        return "; ".join(answer.body.get("messages") or ()) if answer.status == 200 else ""

    async def _ask(self, method: str, path: str, given: dict[str, str] | None = None) -> Answer:
        headers = {"Accept": f"{_MEDIA_TYPE}, application/json", "Content-Type": _MEDIA_TYPE}
        try:
            async with httpx.AsyncClient(auth=self._auth, verify=self._verify, timeout=_ANSWER_SECONDS) as client:
                response = await client.request(method, self._url + path, headers=headers, json=given)
        except httpx.HTTPError as error:
            raise UnavailableError(f"{self._named} did not answer ({error!r}): is it running?") from error
        if response.status_code >= 500 or response.status_code in _LATER:
            raise UnavailableError(f"{self._named} cannot answer now ({response.status_code}); trying again may help")
        return _read(response)

    def _field(self, answer: Answer, name: str) -> Any:
        """What a good answer must hold; any other is taken for that of a registry out of order, or of no registry."""
        if answer.status != 200 or not isinstance(answer.body, dict) or name not in answer.body:
            raise UnavailableError(f"{self._named} answered {answer.status}, without {name}: {_words(answer)}")
        return answer.body[name]

    @property
    def _named(self) -> str:
        return f"the schema registry at {self._url}"


def _trust(settings: Settings) -> ssl.SSLContext | bool:
    """Whose certificates count: those of the file set, else the usual ones."""
    if settings.schema_registry_ca is None:
        return True
    try:
        return ssl.create_default_context(cafile=settings.schema_registry_ca)
    except OSError as error:
        raise ConfigurationError(f"TOUCHLINE_SCHEMA_REGISTRY_CA: {settings.schema_registry_ca}: {error}") from error


def _read(response: httpx.Response) -> Answer:
    try:
        body = response.json()
    except ValueError:
        body = response.text
    code = body.get("error_code", 0) if isinstance(body, dict) else 0
    return Answer(response.status_code, code, body)


def _words(answer: Answer) -> str:
    said = answer.body.get("message", "") if isinstance(answer.body, dict) else answer.body
    return " ".join(str(said).split())[:500] or "no reason given"
