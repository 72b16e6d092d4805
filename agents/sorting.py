"""Sorting what is to land by the contract that wrote it: bodies go into a block as they are, undecoded.

What a newer version wrote than this worker knows is decoded and encoded anew, for a block of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from aiokafka import ConsumerRecord

from agents.chunk import Chunk
from agents.patience import Patiently
from agents.refused import LogRecord, Recast, Refusals
from pipeline.forgotten import Entry, Register
from pipeline.requests import Forget, is_request, load
from pipeline.validation import RECORD_LIMIT
from schemas.codec import HEADER_BYTES, Decoder, Encoder, UndecodableError, header
from schemas.contracts import Contract, latest
from schemas.framing import schema_id_of
from schemas.ids import Ids


class Sorter:
    """Sorts records of one topic."""

    def __init__(  # noqa: PLR0913, PLR0917 (what sorting depends on, each once)
        self, topic: str, epoch: int, ids: Ids, decode: Decoder, patiently: Patiently, register: Register
    ) -> None:
        self._topic = topic
        self._epoch = epoch
        self._register = register
        self._ids = ids
        self._decode = decode
        self._encode = Encoder(topic, ids)
        self._patiently = patiently
        self._usual = header(ids.own(topic))
        self._largest = RECORD_LIMIT if topic == "touchpoints" else sys.maxsize

    async def by_contract(
        self, chunks: Sequence[Chunk], refusals: Refusals, requests: list[LogRecord]
    ) -> list[tuple[Contract, list[LogRecord]]]:
        """The records by the contract that wrote them; tombstones, requests and what was forgotten are not rows.

        Requests and what was forgotten are noted in `requests`.
        """
        ordinary: list[LogRecord] = []
        others: list[ConsumerRecord] = []
        framing = self._usual
        for chunk in chunks:
            for record in chunk.records:
                value = record.value
                if len(self._register) and self._is_forgotten(record, refusals, requests):
                    continue
                if value is not None and len(value) > self._largest and not is_request(value):
                    refusals.add(record, "too_large", f"a record may have {self._largest:,} bytes")
                elif value is not None and value[:HEADER_BYTES] == framing:
                    ordinary.append(record)
                elif is_request(value):
                    requests.append(record)
                    self._note(record)
                elif value is not None:
                    others.append(record)
        groups = [(latest(self._topic), ordinary)]
        if others:
            await self._patiently(
                lambda: self._ids.meet(self._topic, [record.value for record in others]), "the schema registry"
            )
            groups += self._others_by_contract(others, refusals)
        return [(contract, records) for contract, records in groups if records]

    def _is_forgotten(self, record: ConsumerRecord, refusals: Refusals, requests: list[LogRecord]) -> bool:
        """Whether a record may not land, because its customer was forgotten; then it is noted why not."""
        if record.value is None or is_request(record.value):
            return False
        verdict = self._register.verdict(record.key, self._topic, self._epoch, record.offset)
        if verdict == "before":
            requests.append(record)
        elif verdict == "refused":
            refusals.forget(record)
        return verdict is not None

    def _note(self, record: ConsumerRecord) -> None:
        """What stands behind a request to forget a customer is refused from here on, if it says so."""
        try:
            request = load(record.value)
        except ValueError:
            return  # the customers agent makes a dead letter of it
        if isinstance(request, Forget) and request.refuse and self._topic == "touchpoints":
            before = {self._topic: (self._epoch, record.offset)}
            self._register.put(request.hashed, Entry(request.requested_at, refuse=True, before=before))

    def _others_by_contract(
        self, records: Sequence[ConsumerRecord], refusals: Refusals
    ) -> list[tuple[Contract, list[LogRecord]]]:
        """What other versions wrote: kept versions as they are; newer ones anew, in a block of their own."""
        found: dict[int, tuple[Contract, list[LogRecord]]] = {}
        recast: list[LogRecord] = []
        for record in records:
            try:
                contract = self._ids.reading(self._topic, schema_id_of(record.value)).contract
                if contract is not None:
                    found.setdefault(contract.version, (contract, []))[1].append(record)
                else:
                    recast.append(self._recast(record))
            except UndecodableError as error:
                refusals.add(record, error.code, str(error))
        return [*found.values(), (latest(self._topic), recast)]

    def _recast(self, record: ConsumerRecord) -> Recast:
        value = self._encode(self._decode(record.value))
        return Recast(record.topic, record.partition, record.offset, value, record.value)
