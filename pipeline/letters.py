"""What a dead letter becomes when it is replayed: a touchpoint, or a refusal again. Pure, and it never raises.

Letters refused before Kafka hold an event as JSON: it is validated by today's rules, at the moment of the replay.
Letters of a webhook hold its request: it is mapped again, by today's mapping.
Letters refused by an agent hold a framed record: it is decoded and checked again, and keeps its own times.
Letters of alerts that a destination did not take hold the alert: it is to be delivered there again.

Replaying a letter twice gives the same event_id twice, so that it counts once. An event that brought no id gets the one
it would have had: a line of an import that of its content and ordinal; an event under an Idempotency-Key that of the
key, which the letter remembers; any other one derived from the letter's own id.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from pipeline.alerts.records import again as alert_again
from pipeline.channels.compiled import Source
from pipeline.channels.envelope import Kept, restored
from pipeline.channels.touchpoints import again
from pipeline.customer import touch_of
from pipeline.line_ids import fingerprint, line_event_id
from pipeline.model import NOT_ALLOWED, ContractError, FieldError, Record, Rejected, derived_id
from pipeline.parsing import parse
from pipeline.privacy import MASKING, Privacy
from pipeline.validation import validate
from schemas.codec import Decoder, Encoder, UndecodableError
from schemas.ids import LOCAL, Ids

TOPIC = "touchpoints"
"""The topic whose records can be sent again: all others are made from it."""
ALERTS = "alerts"
TOPICS = (TOPIC, ALERTS)
"""Where replays write to."""
UNDELIVERABLE = "undeliverable"
"""The code of an alert that a destination did not take."""
_NO_SOURCES: Mapping[str, Source] = MappingProxyType({})


@dataclass(frozen=True)
class Envelope:
    """A dead letter without what came in. Times are UTC milliseconds; `replayed_at` is None while it was not."""

    dead_letter_id: str
    event_id: str | None
    code: str
    path: str
    message: str
    source: str
    topic: str | None
    epoch: int | None
    partition: int | None
    offset: int | None
    rejected_at: int
    original_length: int
    original_sha256: str
    import_id: str | None
    line: int | None
    version: str
    replayed_at: int | None


@dataclass(frozen=True)
class Letter(Envelope):
    """A dead letter with what came in, at most 64 KiB of it.

    `ordinal`, of a line of an import: how many identical ones were refused before it in the same file.
    """

    original: bytes
    ordinal: int = 0

    @property
    def is_line(self) -> bool:
        """Tell whether it was a line of an import, refused before Kafka."""
        return self.import_id is not None and self.topic is None


@dataclass(frozen=True)
class Ready:
    """What is made of a dead letter, a touchpoint or an alert: the record, and what Kafka is to be given."""

    record: Record
    key: bytes
    value: bytes
    topic: str = TOPIC

    @property
    def moment(self) -> int:
        """By which it is sorted, UTC milliseconds."""
        return int(self.record["occurred_at" if self.topic == TOPIC else "attempted_at"])


class Replayed(NamedTuple):
    """A dead letter that was sent again as this event; Kafka has acknowledged it."""

    dead_letter_id: str
    event_id: str


class Replaying:
    """Decides about letters, one by one; holds the codecs.

    Personal data is treated by today's rules; the letter's own bytes stay as they came in. With `force`, what
    ClickHouse itself refused is sent: that helps only after a change over there. With `allow`, what a write key
    was not allowed to send counts all the same.
    """

    def __init__(
        self,
        ids: Ids = LOCAL,
        *,
        force: bool = False,
        allow: bool = False,
        privacy: Privacy = MASKING,
        sources: Mapping[str, Source] = _NO_SOURCES,
    ) -> None:
        self._force = force
        self._allow = allow
        self._privacy = privacy
        self._sources = sources
        self._ids = ids
        self._decode = Decoder(TOPIC, ids)
        self._encode = Encoder(TOPIC, ids)
        self._decode_alert = Decoder(ALERTS, ids)
        self._encode_alert = Encoder(ALERTS, ids)

    async def meet_schemas(self, letters: Sequence[Letter]) -> None:
        """Find out about the letters' schema ids. Raises UnavailableError when the registry is out of reach."""
        for topic in TOPICS:
            await self._ids.meet(topic, [letter.original for letter in letters if letter.topic == topic])

    def id_of(self, topic: str, value: bytes) -> str:
        """The event_id of a touchpoint that is to be sent, the alert_id of an alert."""
        return str(self._decode(value)["event_id"] if topic == TOPIC else self._decode_alert(value)["alert_id"])

    def __call__(self, letter: Letter, now: int) -> Ready | FieldError:
        """What is to be sent for the letter, or why nothing can be; `now` is the moment of the replay."""
        if letter.original_length > len(letter.original):
            kept, whole = len(letter.original), letter.original_length
            return FieldError("cut", "", f"only {kept:,} of {whole:,} bytes were kept: send the event itself again")
        if letter.code == NOT_ALLOWED and not self._allow:
            fix = f"{letter.message}; if it is to count all the same, send it with --allow"
            return FieldError(NOT_ALLOWED, letter.path, fix)
        if letter.topic is None:
            request = restored(letter.original)
            return self._ready(_event(letter, now) if request is None else self._mapped(letter, request, now))
        if letter.topic == ALERTS and letter.code == UNDELIVERABLE:
            return self._again(letter, now)
        if letter.topic != TOPIC:
            fix = f"a record of topic {letter.topic} is made from touchpoints: `touchline rebuild` its customer instead"
            return FieldError("not_replayable", "", fix)
        return self._mended(letter)

    def _mapped(self, letter: Letter, request: Kept, now: int) -> Record | FieldError:
        """Map a webhook again, by today's mapping."""
        source = self._sources.get(letter.source)
        if source is None:
            fix = f"no source is called {letter.source}: set TOUCHLINE_CHANNELS to the folder of its mapping"
            return FieldError("source_unknown", "", fix)
        return again(source, request, letter.event_id, now)

    def _again(self, letter: Letter, now: int) -> Ready | FieldError:
        """Make an alert ready to be delivered once more to where it was given up."""
        try:
            alert = self._decode_alert(letter.original)
        except UndecodableError as error:
            return FieldError(error.code, "", str(error))
        record = alert_again(alert, alert["destination"], now)
        return Ready(record, record["customer_id"].encode(), self._encode_alert(record), ALERTS)

    def _mended(self, letter: Letter) -> Ready | FieldError:
        """Make a framed touchpoint ready again, under its customer's key."""
        try:
            record = self._decode(letter.original)
            touch_of(0, record)
        except UndecodableError as error:
            return FieldError(error.code, "", str(error))
        except ContractError as error:
            return FieldError("contract", error.path, str(error))
        if letter.code == "refused" and not self._force:
            fix = f"nothing is wrong with it but that {letter.message}; after a change there, send it with --force"
            return FieldError("refused", letter.path, fix)
        return self._ready(record)

    def _ready(self, record: Record | FieldError) -> Ready | FieldError:
        if isinstance(record, FieldError):
            return record
        try:
            protected = self._privacy.protect(record, Counter())
            return Ready(protected, record["customer_id"].encode(), self._encode(protected))
        except (ValueError, TypeError, OverflowError) as error:
            return FieldError("encoding", "", f"the event does not fit the contract: {error}")


def _event(letter: Letter, now: int) -> Record | FieldError:
    """Validate an event that was refused before Kafka, by today's rules."""
    event, problem = parse(letter.original)
    if problem is not None:
        fix = "; mend it in its file and import that again: what was taken before counts once" if letter.is_line else ""
        return FieldError(problem.code, problem.path, problem.message + fix)
    if isinstance(event, dict) and event.get("event_id") is None:
        event["event_id"] = _event_id(letter, event)
    checked = validate(event, now, letter.source, letter.import_id)
    if isinstance(checked, Rejected):
        first = checked.errors[0]
        return FieldError(first.code, first.path, "; ".join(error.message for error in checked.errors))
    return checked


def _event_id(letter: Letter, event: dict[str, Any]) -> str:
    """The id that an event without one would have had, else one that follows from the letter."""
    if letter.is_line:
        try:
            return line_event_id(fingerprint(event), letter.ordinal)
        except (ValueError, TypeError, OverflowError, RecursionError):
            pass  # such an event is refused whatever its id
    elif letter.event_id is not None and _is_uuid(letter.event_id):
        return letter.event_id
    return derived_id("replay", letter.dead_letter_id)


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False
