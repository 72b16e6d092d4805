"""From the raw events of one request to what Kafka is given: touchpoints, and dead letters for the refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.channels.applied import Mapped, Outcome
from pipeline.channels.compiled import Source
from pipeline.channels.envelope import Incoming, kept
from pipeline.channels.touchpoints import accepted
from pipeline.collector.pieces import Piece
from pipeline.forgotten import REFUSAL, Register
from pipeline.lanes import Message
from pipeline.model import ANONYMOUS_PREFIX, NOT_ALLOWED, FieldError, Record, Rejected, dead_letter
from pipeline.parsing import parse
from pipeline.privacy import MASKING, Privacy
from pipeline.validation import EVENT_LIMIT, rejected, validate
from schemas.codec import Encoder
from schemas.ids import LOCAL, Ids

EventId = Callable[[int], str]


@dataclass(slots=True)
class Taken:
    """The events of one request: those accepted, encoded, and those refused, each with its index.

    `masked` counts by kind the personal data that was masked or hashed in the accepted ones.
    """

    accepted: list[Message] = field(default_factory=list)
    channels: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[int, Rejected]] = field(default_factory=list)


class Intake:
    """Validates, protects and encodes events; asks nobody, and never raises for what an event holds."""

    def __init__(
        self,
        ids: Ids = LOCAL,
        privacy: Privacy = MASKING,
        *,
        derive_sentiment: bool = False,
        register: Register | None = None,
    ) -> None:
        self._register = Register() if register is None else register
        self._privacy = privacy
        self._derive_sentiment = derive_sentiment
        self._touchpoint = Encoder("touchpoints", ids)
        self._dead_letter = Encoder("rejected", ids)

    def take(
        self,
        pieces: Iterable[Piece],
        now: int,
        source: str,
        event_id: EventId | None = None,
        channels: Collection[str] = (),
    ) -> Taken:
        """Sort events into accepted and refused.

        `event_id` gives one to the event of an index that has none; `channels` are those that may be sent, none
        being all.
        """
        taken = Taken()
        for index, raw in pieces:
            record = _checked(raw, now, source, event_id and event_id(index), channels)
            if len(self._register):
                record = self._unless_forgotten(record, raw)
            message = self._encoded(record, raw, taken.masked) if isinstance(record, dict) else record
            if isinstance(message, Rejected):
                taken.refused.append((index, _named(message, event_id and event_id(index))))
            else:
                taken.accepted.append(message)
                taken.channels[record["channel"]] += 1  # type: ignore[index]
        return taken

    def take_mapped(
        self, source: Source, outcome: Outcome, now: int, incoming: Incoming, channels: Collection[str] = ()
    ) -> Taken:
        """Sort the touchpoints of a webhook likewise; a refusal keeps the whole request."""
        taken = Taken()
        for index, mapped in enumerate(outcome.touchpoints):
            record = self._mapped(source, mapped, now, channels)
            if self._is_forgotten(record if isinstance(record, dict) else mapped.event):
                taken.refused.append((index, REFUSAL))
                continue
            message = self._encoded(record, b"", taken.masked) if isinstance(record, dict) else record
            if isinstance(message, Rejected):
                taken.refused.append((index, replace(message, original=kept(incoming, source.headers, index))))
            else:
                taken.accepted.append(message)
                taken.channels[record["channel"]] += 1  # type: ignore[index]
        return taken

    def _mapped(self, source: Source, mapped: Mapped, now: int, channels: Collection[str]) -> Record | Rejected:
        if (problem := _out_of_scope(mapped.event, channels)) is not None:
            return rejected(mapped.event, (problem,))
        return accepted(source, mapped, now, derive_sentiment=self._derive_sentiment)

    def _unless_forgotten(self, record: Record | Rejected, raw: bytes) -> Record | Rejected:
        """The record or its refusal, unless its customer is to stay forgotten: then nothing that came in is kept."""
        event = record if isinstance(record, dict) else parse(raw)[0]
        return REFUSAL if self._is_forgotten(event) else record

    def _is_forgotten(self, event: Any) -> bool:
        if not len(self._register) or not isinstance(event, dict):
            return False
        customer, anonymous = event.get("customer_id"), event.get("anonymous_id")
        key = customer if customer is not None else f"{ANONYMOUS_PREFIX}{anonymous}"
        return isinstance(key, str) and self._register.refuses(key.encode("utf-8", "surrogatepass"))

    def dead_letters(self, refused: Iterable[tuple[int, Rejected]], now: int, source: str) -> list[Message]:
        """Encode what was refused."""
        return [(None, self._dead_letter(dead_letter(each, source, now))) for _, each in refused]

    def _encoded(self, record: Record, raw: bytes, masked: Counter[str]) -> Message | Rejected:
        try:
            return record["customer_id"].encode(), self._touchpoint(self._privacy.protect(record, masked))
        except (ValueError, TypeError, OverflowError) as error:
            problem = FieldError("encoding", "", f"the event does not fit the contract: {error}")
            return Rejected((problem,), raw, record["event_id"])


def _named(refused: Rejected, event_id: str | None) -> Rejected:
    """A refusal under the id that its event would have had: so the same request again gives the same dead letters."""
    return replace(refused, event_id=event_id) if event_id and not refused.event_id else refused


def _checked(
    raw: bytes, now: int, source: str, event_id: str | None, channels: Collection[str] = ()
) -> Record | Rejected:
    if len(raw) > EVENT_LIMIT:
        message = f"an event may hold {EVENT_LIMIT:,} bytes, this one has {len(raw):,}"
        return Rejected((FieldError("too_large", "", message),), raw)
    event, problem = parse(raw)
    if problem is not None:
        return Rejected((problem,), raw)
    if event_id is not None and isinstance(event, dict) and event.get("event_id") is None:
        event["event_id"] = event_id
    if channels and (problem := _out_of_scope(event, channels)) is not None:
        return rejected(event, (problem,), original=raw)
    return validate(event, now, source, original=raw)


def _out_of_scope(event: Any, channels: Collection[str]) -> FieldError | None:
    """Say that an event names a channel which may not be sent, be the rest of it right or wrong."""
    channel = event.get("channel") if channels and isinstance(event, dict) else None
    if not isinstance(channel, str) or channel in channels:
        return None
    shown = channel[:64].encode("utf-8", "backslashreplace").decode()
    fix = f"this key may not send channel {shown!r}: it is for {', '.join(channels)}"
    return FieldError(NOT_ALLOWED, "channel", fix)
