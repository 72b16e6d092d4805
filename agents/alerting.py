"""What the alerts agent does to one chunk, pure: changes of risk and people's orders in, alerts and standings out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord
from msgspec.structs import replace

from agents.chunk import Chunk
from agents.refusal import envelope, problem_of
from agents.transactions import Message
from pipeline.alerts.decision import Decision, on_acknowledged, on_change, on_snooze, on_time
from pipeline.alerts.policy import Policy
from pipeline.alerts.records import ORDERS, said_record
from pipeline.alerts.standing import NOBODY, Change, Standing, dump, load
from pipeline.model import ANONYMOUS_PREFIX, ContractError, LogPosition, Record, dead_letter
from pipeline.requests import Forget, is_request
from pipeline.requests import load as load_request
from pipeline.topics import ALERTS_CHANGELOG
from schemas.codec import Decoder, Encoder
from schemas.ids import LOCAL, Ids

SOURCE = "alerts"
RISK, ORDERED = "risk", "alerts"
"""The topics it reads: what may raise an alert, and its own topic, where people's orders stand too."""


@dataclass
class Outputs:
    """What a chunk gives, by topic, and the standings it leaves; `refused` are the indexes of the records refused.

    `codes` counts these by their reason.
    """

    alerts: list[Message] = field(default_factory=list)
    rejected: list[Message] = field(default_factory=list)
    changelog: list[Message] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def by_topic(self) -> dict[str, list[Message]]:
        """The messages under the names of their topics."""
        return {"alerts": self.alerts, "rejected": self.rejected, ALERTS_CHANGELOG: self.changelog}


class Alerting:
    """Decides chunk by chunk; holds the codecs and the policy, and no standing of any customer."""

    def __init__(self, policy: Policy, epochs: Mapping[str, int], ids: Ids = LOCAL) -> None:
        self._policy = policy
        self._epochs = epochs
        self._ids = ids
        self._decode = {topic: Decoder(topic, ids) for topic in (RISK, ORDERED)}
        self._encode = Encoder("alerts", ids)
        self._encode_rejected = Encoder("rejected", ids)

    def __call__(self, chunk: Chunk, before: Mapping[bytes, bytes], now: int) -> Outputs:
        """Decide about a chunk, given the standings before it, which are not changed.

        A chunk that covers nothing says only what time: what was held back until `now`, UTC milliseconds, is raised.
        Raises UnmetSchemaError when the chunk holds a schema id that must be met first.
        """
        out = Outputs()
        if chunk.first == chunk.next:
            self._held_back(before, now, out)
            return out
        after: dict[bytes, Standing] = {}
        for index, record in enumerate(chunk.records):
            try:
                self._apply(record, before, after, out)
            except ValueError as error:
                self._refuse(index, record, error, now, out)
        for key, standing in after.items():
            _remember(key, standing, before, out)
        return out

    async def meet_schemas(self, chunk: Chunk, before: Mapping[bytes, bytes]) -> None:
        """Find out about the schema ids of a chunk. Raises UnavailableError when the registry is out of reach."""
        await self._ids.meet(chunk.topic, [record.value for record in chunk.records])

    def _held_back(self, before: Mapping[bytes, bytes], now: int, out: Outputs) -> None:
        for key, value in before.items():
            standing = load(value)
            if standing.held is not None:
                decided = on_time(key.decode(), standing, now, self._policy)
                self._say(key, decided, out)
                _remember(key, decided.standing, before, out)

    def _apply(
        self, record: ConsumerRecord, before: Mapping[bytes, bytes], after: dict[bytes, Standing], out: Outputs
    ) -> None:
        if is_request(record.value):
            self._forget(record, before, after, out)
            return
        body = self._decode[record.topic](record.value)
        if record.topic == ORDERED and body["status"] not in ORDERS:
            return
        key = record.key
        if key is None or key != body["customer_id"].encode():
            raise ContractError("customer_id", "the Kafka key must be the customer_id")
        if body["customer_id"].startswith(ANONYMOUS_PREFIX):
            return  # nobody knows whom to call
        standing = after[key] if key in after else load(before.get(key))
        place = self._epochs[record.topic], record.offset
        if record.topic == ORDERED:
            if place > standing.orders_at:
                after[key] = replace(_ordered(standing, body), orders_at=place)
        elif place > standing.risk_at:
            decided = on_change(body["customer_id"], standing, Change.of(body), self._policy)
            self._say(key, decided, out)
            after[key] = replace(decided.standing, risk_at=place)

    def _forget(
        self, record: ConsumerRecord, before: Mapping[bytes, bytes], after: dict[bytes, Standing], out: Outputs
    ) -> None:
        """Drop a customer's standing, and say so behind all alerts of theirs, for whoever delivers them.

        Read back from there it drops what an order has made meanwhile, but no alert about a later life.
        """
        request, key = load_request(record.value), record.key
        if key is None or not isinstance(request, Forget):
            raise ContractError("customer_id", f"topic {record.topic} takes no request but to forget a customer")
        if record.topic == RISK:
            after[key] = NOBODY
            out.alerts.append((key, record.value))
        elif (after[key] if key in after else load(before.get(key))).raised_at <= request.requested_at:
            after[key] = NOBODY

    def _say(self, key: bytes, decided: Decision, out: Outputs) -> None:
        out.alerts += [(key, self._encode(said_record(key.decode(), said))) for said in decided.said]

    def _refuse(self, index: int, record: ConsumerRecord, error: ValueError, now: int, out: Outputs) -> None:
        problem = problem_of(error)
        refused = envelope(record.value, problem, self._decode[record.topic])
        position = LogPosition(record.topic, self._epochs[record.topic], record.partition, record.offset)
        out.refused.append(index)
        out.codes[problem.code] += 1
        out.rejected.append((None, self._encode_rejected(dead_letter(refused, SOURCE, now, position))))


def _ordered(standing: Standing, order: Record) -> Standing:
    if order["status"] == "snoozed":
        return on_snooze(standing, order["until"] or 0)
    return on_acknowledged(standing, order["about"] or "", order["attempted_at"])


def _remember(key: bytes, standing: Standing, before: Mapping[bytes, bytes], out: Outputs) -> None:
    """Keep a standing where it says anything; whoever has none is as somebody never heard of."""
    known = before.get(key)
    value = None if standing.is_empty else dump(standing)
    if value != known:
        out.changelog.append((key, value))
