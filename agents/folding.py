"""What the customers agent does to one chunk, pure: decode, fold by customer, encode.

A record that cannot be decoded or checked becomes a dead letter; all others go on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from agents.chunk import Chunk
from agents.rebuilds import Turn
from agents.refusal import envelope, problem_of
from agents.silences import Order
from agents.transactions import Message
from pipeline import requests
from pipeline import state as states
from pipeline.customer import Folded, Rules, Touch, fold, touch_of
from pipeline.forgotten import REFUSAL, dump_marker, hash_of, load_marker
from pipeline.model import ContractError, LogPosition, Rejected, dead_letter
from pipeline.rebuilding import dump_hold, load_hold, load_state
from pipeline.requests import Finish, Forget, Forgotten, Request, Rows
from pipeline.topics import CHANGELOG
from pipeline.validation import RECORD_LIMIT
from schemas.codec import Decoder, Encoder, UndecodableError
from schemas.ids import LOCAL, Ids

SOURCE = "customers"
_HOLD = b"\xff"
"""In front of a customer's key, which is UTF-8 and so never starts with it: where a rebuild under way is kept."""
_FORGOTTEN = b"\xfe"
"""In front of the hash of a forgotten customer's key: where the marker is kept. Alone it says that there are any."""


@dataclass
class Outputs:
    """What a chunk gives, by topic, and the states it leaves; `refused` are the indexes of the records refused.

    `codes` counts these by their reason.
    """

    touchpoints: list[Message] = field(default_factory=list)
    journeys: list[Message] = field(default_factory=list)
    customers: list[Message] = field(default_factory=list)
    risk: list[Message] = field(default_factory=list)
    late: list[Message] = field(default_factory=list)
    rejected: list[Message] = field(default_factory=list)
    changelog: list[Message] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def by_topic(self) -> dict[str, list[Message]]:
        """The messages under the names of their topics."""
        return {
            "touchpoints": self.touchpoints,
            "journeys": self.journeys,
            "customers": self.customers,
            "risk": self.risk,
            "late": self.late,
            "rejected": self.rejected,
            CHANGELOG: self.changelog,
        }


def _checked(key: bytes | None, touch: Touch) -> bytes:
    """The key, which decides the partition and so must be the customer's."""
    if key is None or key != touch.record["customer_id"].encode():
        raise ContractError("customer_id", "the Kafka key must be the customer_id")
    return key


@dataclass
class Grouped:
    """A chunk's good records by customer: touchpoints, and what was asked for."""

    touches: dict[bytes, list[Touch]] = field(default_factory=dict)
    requests: dict[bytes, list[tuple[int, Request]]] = field(default_factory=dict)


class Folding:
    """Folds chunks of touchpoints; holds the codecs and the rules, and no state of any customer.

    `forget_key` is the secret of the hashes of forgotten customers; without it none is known again. `due` says, of a
    partition and a moment, which customers' silence is to be looked at.
    """

    def __init__(
        self,
        rules: Rules | Callable[[], Rules],
        epoch: int,
        ids: Ids = LOCAL,
        *,
        due: Callable[[int, Mapping[bytes, bytes], int], Iterable[Order]] = lambda *_: (),
        forget_key: str = "",
    ) -> None:
        self._due = due
        self._forget_key = forget_key
        self._current = rules if callable(rules) else lambda: rules
        self._rules = self._current()
        self._epoch = epoch
        self._ids = ids
        self._decode = Decoder("touchpoints", ids)
        self._encode_journey = Encoder("journeys", ids)
        self._encode_customer = Encoder("customers", ids)
        self._encode_risk = Encoder("risk", ids)
        self._encode_late = Encoder("late", ids)
        self._encode_rejected = Encoder("rejected", ids)

    def __call__(self, chunk: Chunk, before: Mapping[bytes, bytes], now: int) -> Outputs:
        """Fold a chunk over the states before it, which are not changed; `now` dates dead letters and bounds times.

        A chunk that covers nothing says only what time it is: it gives the orders that are due by then.
        Raises UnmetSchemaError when the chunk holds a schema id that must be met first.
        """
        self._rules = self._current()
        out = Outputs()
        if chunk.first == chunk.next:
            orders = self._due(chunk.partition, before, now)
            out.touchpoints += [(key, requests.dump(look)) for key, look in orders]
            return out
        grouped = self._by_customer(chunk, out, now)
        markers = bool(self._forget_key) and _FORGOTTEN in before
        for key, touches in grouped.touches.items():
            if key in grouped.requests or _HOLD + key in before or (markers and self._marker_of(key) in before):
                grouped.requests.setdefault(key, [])
                continue
            known = before.get(key)
            state = states.load(known) if known is not None else None
            folded = fold(touches[0].record["customer_id"], state, self._epoch, touches, self._rules)
            if folded is None:
                continue
            self._publish(key, folded, out)
            if folded.customer is not None:
                out.changelog.append((key, states.dump(folded.state)))
        for key in grouped.requests:
            self._take_turn(key, grouped, chunk, before, out, now)
        return out

    async def meet_schemas(self, chunk: Chunk, before: Mapping[bytes, bytes]) -> None:
        """Find out about the schema ids of a chunk, and of what was kept aside for rebuilds that end in it.

        Raises UnavailableError when the registry is out of reach.
        """
        values = [record.value for record in chunk.records]
        for record in chunk.records:
            if requests.is_request(record.value) and record.key and (held := before.get(_HOLD + record.key)):
                values += [value for _, value in load_hold(held).touches]
        await self._ids.meet("touchpoints", values)

    def _publish(self, key: bytes, folded: Folded, out: Outputs) -> None:
        out.journeys += [(key, self._encode_journey(row)) for row in folded.journeys]
        if folded.customer is not None:
            out.customers.append((key, self._encode_customer(folded.customer)))
        out.risk += [(key, self._encode_risk(row)) for row in folded.risk]
        out.late += [(key, self._encode_late(row)) for row in folded.late]

    def _marker_of(self, key: bytes, asked: Iterable[tuple[int, Request]] = ()) -> bytes:
        """Where the marker of a customer is kept; a request that says the hash knows better than we do."""
        for _, request in asked:
            if isinstance(request, Forget | Forgotten):
                return _FORGOTTEN + request.hashed
        return _FORGOTTEN + hash_of(self._forget_key, key)

    def _take_turn(  # noqa: PLR0913, PLR0917 (what a turn depends on, each once)
        self, key: bytes, grouped: Grouped, chunk: Chunk, before: Mapping[bytes, bytes], out: Outputs, now: int
    ) -> None:
        """The way of the few customers of whom a rebuild is under way, or who are or were to be forgotten."""
        known, held = before.get(key), before.get(_HOLD + key)
        marker_key = self._marker_of(key, grouped.requests[key])
        marker = before.get(marker_key)
        turn = Turn(
            key.decode(),
            states.load(known) if known is not None else None,
            load_hold(held) if held is not None else None,
            load_marker(marker) if marker is not None else None,
            epoch=self._epoch,
            rules=self._rules,
            touch_of=lambda offset, value: touch_of(offset, self._decode(value)),
        )
        records = {record.offset: record for record in chunk.records if record.key == key}
        mine = [(touch, records[touch.offset].value or b"") for touch in grouped.touches.get(key, ())]
        done = 0
        for offset, request in grouped.requests[key]:
            first = done
            while done < len(mine) and mine[done][0].offset < offset:
                done += 1
            turn.touches(mine[first:done])
            turn.request(offset, request)
        turn.touches(mine[done:])
        if turn.forgot is not None:
            self._forget(key, turn.forgot, out)
        for folded in turn.folds:
            self._publish(key, folded, out)
        out.journeys += [(key, self._encode_journey(row)) for row in turn.journeys]
        _remember(out, key, states.dump(turn.state) if turn.state is not None else None, known)
        _remember(out, _HOLD + key, dump_hold(turn.hold) if turn.hold is not None else None, held)
        if turn.marker is not None:
            out.changelog += [(marker_key, dump_marker(turn.marker)), (_FORGOTTEN, b"")]
        for offset in turn.refused:
            self._keep(records[offset], REFUSAL, now, out)

    def _forget(self, key: bytes, request: Forget, out: Outputs) -> None:
        """Tombstones wherever something is kept under the key, and the request on to those who decide about alerts."""
        out.customers.append((key, None))
        out.changelog += [(key, None), (_HOLD + key, None)]
        out.risk.append((key, requests.dump(request)))

    def _by_customer(self, chunk: Chunk, out: Outputs, now: int) -> Grouped:
        found = Grouped()
        groups = found.touches
        decode = self._decode
        for index, record in enumerate(chunk.records):
            value = record.value
            try:
                if value and value[0] == requests.FIRST_BYTE and requests.is_request(value):
                    self._ask(record, found)
                    continue
                if len(value or b"") > RECORD_LIMIT:
                    raise UndecodableError("too_large", f"a touchpoint may have {RECORD_LIMIT:,} bytes")
                touch = touch_of(record.offset, decode(value), now)
                key = _checked(record.key, touch)
                group = groups.get(key)
                if group is None:
                    groups[key] = [touch]
                else:
                    group.append(touch)
            except ValueError as error:
                self._refuse(index, record, error, now, out)
        return found

    def _check(self, request: Request) -> None:
        """Raise ValueError for what could not be carried out."""
        if isinstance(request, Finish):
            load_state(request.state)
        if isinstance(request, Rows):
            try:
                for row in request.journeys:
                    self._encode_journey({**row, "revision": 0})
            except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
                raise ValueError(f"the rows of the request are not journeys: {error!r}") from error

    def _ask(self, record: ConsumerRecord, found: Grouped) -> None:
        if record.key is None:
            raise ValueError("a request needs the customer_id as its key")
        record.key.decode()  # a customer_id is UTF-8; what is not raises ValueError
        request = requests.load(record.value)
        self._check(request)
        found.requests.setdefault(record.key, []).append((record.offset, request))

    def _refuse(self, index: int, record: ConsumerRecord, error: ValueError, now: int, out: Outputs) -> None:
        out.refused.append(index)
        self._keep(record, envelope(record.value, problem_of(error), self._decode), now, out)

    def _keep(self, record: ConsumerRecord, refused: Rejected, now: int, out: Outputs) -> None:
        position = LogPosition(record.topic, self._epoch, record.partition, record.offset)
        out.codes[refused.errors[0].code] += 1
        out.rejected.append((None, self._encode_rejected(dead_letter(refused, SOURCE, now, position))))


def _remember(out: Outputs, key: bytes, value: bytes | None, known: bytes | None) -> None:
    """Write what is to be remembered under a key; nothing where nothing is and nothing was."""
    if value is not None or known is not None:
        out.changelog.append((key, value))
