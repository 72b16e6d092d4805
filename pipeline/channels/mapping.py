"""A mapping file as it is written: TOML, checked in shape here, made ready in compiled.py."""

from __future__ import annotations

import re
import tomllib
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pipeline.channels.envelope import Format
from pipeline.channels.errors import MappingError

NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

Expression = Annotated[str, StringConstraints(min_length=1, max_length=2_000)]
Header = Annotated[str, StringConstraints(pattern="^[a-z0-9-]+$")]


def _one_group(text: str) -> str:
    """Refuse what is no regular expression, or finds nothing that could be taken out."""
    try:
        groups = re.compile(text).groups
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    if not groups:
        raise ValueError(f"{text!r} has no group: put parentheses around what is wanted")
    return text


Pattern = Annotated[str, AfterValidator(_one_group)]
Choice = dict[str, str]
"""A word chosen by what the payload says: `from` is an expression, `else` what holds for all that is not listed."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Request(_Part):
    """Which requests a source takes. Expressions see `headers`, `query` and `body`; `event` and `id`, also `item`."""

    format: Format = "json"
    items: Expression | None = Field(None, description="a list in the request, each with an event of its own")
    event: Expression | None = Field(None, description="what kind of event an item is; none: there is only one")
    id: Expression | None = Field(None, description="the vendor's id of the event, the same when it is sent again")


class Timestamp(_Part):
    """When the request was signed."""

    header: Header
    pattern: Pattern | None = Field(None, description="regular expression whose first group is the time")
    unit: Literal["s", "ms", "rfc3339"] = "s"
    tolerance_seconds: float = Field(300.0, gt=0, description="how far off the time may be, either way")


class Signature(_Part):
    """How a source proves who it is. `signed` may name {body}, {timestamp}, {id}, {url}, {method} and {params}."""

    scheme: Literal["hmac", "ecdsa", "ed25519", "token", "basic", "write_key"]
    header: Header = "authorization"
    pattern: Pattern | None = Field(None, description="regular expression whose first group is the signature")
    encoding: Literal["hex", "base64"] = "hex"
    hash: Literal["sha1", "sha256", "sha512"] = "sha256"
    signed: str = "{body}"
    key: Literal["text", "base64", "hex"] = "text"
    key_prefix: str = Field("", description="what stands before the secret itself, and is no part of it")
    id_header: Header | None = None
    timestamp: Timestamp | None = None
    public: bool = Field(False, description="whether write keys are taken that lie open in a page or an app")


class Challenge(_Part):
    """How a source is answered that asks whether this endpoint is ours. The expressions also see `secret`."""

    method: Literal["GET", "POST"] = "GET"
    when: Expression
    token: Expression | None = Field(None, description="what must equal the secret `<source>_verify`")
    answer: Expression | dict[str, Expression]
    signed: bool = Field(False, description="whether the challenge is signed as events are")


class Touchpoint(_Part):
    """One rule: the touchpoint that each event of these kinds becomes. Strings are JMESPath, but for words.

    A touchpoint's own fields win over the source's defaults. Words (channel, touchpoint, stage, direction, outcome,
    rating_metric) stand as they are, or are chosen: `{ from = "item.status", solved = "resolved" }`.
    """

    name: Annotated[str, StringConstraints(min_length=1, max_length=64)] | None = None
    events: tuple[str, ...] = ()
    when: Expression | None = None
    channel: str | Choice
    touchpoint: str | Choice
    stage: str | Choice | None = None
    direction: str | Choice | None = None
    outcome: str | Choice | None = None
    rating_metric: str | Choice | None = None
    customer_id: Expression | None = None
    anonymous_id: Expression | None = None
    occurred_at: Expression | None = None
    sentiment: Expression | None = None
    rating_score: Expression | None = None
    value: Expression | None = None
    currency: Expression | None = None
    duration_ms: Expression | None = None
    wait_ms: Expression | None = None
    reference: Expression | None = None
    staff_id: Expression | None = None
    campaign: Expression | None = None
    partner: Expression | None = None
    text: Expression | None = Field(None, description="what was said, for its sentiment; it is not kept")
    id: Expression | None = Field(None, description="tells touchpoints of one event apart")
    attributes: dict[str, Expression] = Field(default_factory=dict)
    attributes_from: Expression | None = Field(None, description="an object whose members are attributes, too")


class Defaults(_Part):
    """Fields that all touchpoints of a source share."""

    customer_id: Expression | None = None
    anonymous_id: Expression | None = None
    occurred_at: Expression | None = None
    reference: Expression | None = None
    campaign: Expression | None = None
    partner: Expression | None = None
    staff_id: Expression | None = None
    currency: Expression | None = None
    attributes: dict[str, Expression] = Field(default_factory=dict)


class Mapping(_Part):
    """A whole file. `ignored` are kinds of events that the source sends and that are no touchpoints."""

    title: str
    about: str
    documentation: str
    setup: str = ""
    request: Request = Request()
    signature: Signature
    challenge: Challenge | None = None
    defaults: Defaults = Defaults()
    touchpoints: Annotated[tuple[Touchpoint, ...], Field(min_length=1)]
    ignored: tuple[str, ...] = ()


def read(text: str, file: str) -> Mapping:
    """Read a mapping. Raises MappingError, which names the file, the place in it and the fix."""
    try:
        given: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"{file}: not TOML: {error}") from error
    try:
        return Mapping.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"] if part not in {"str", "dict[str,str]"})
        raise MappingError(f"{file}: {place}: {first['msg'].removeprefix('Value error, ')}") from error
