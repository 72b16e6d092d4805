"""What the compacted topics still hold of a forgotten person; a later life of the same keys is not theirs."""

from __future__ import annotations

from collections.abc import Callable, Collection

from pipeline.alerts import standing
from pipeline.compacted import last_values
from pipeline.customer import revision_of
from pipeline.rebuilding import load_hold
from pipeline.state import load
from pipeline.topics import ALERTS_CHANGELOG, CHANGELOG
from schemas.codec import Decoder, UndecodableError, UnmetSchemaError
from schemas.ids import Ids
from sinks.erasure import Person

_HOLD = b"\xff"
"""In front of a key in the changelog of the customers agent: a rebuild under way."""

IsTheirs = Callable[[str, bytes], bool]
"""Whether the value under a person's key is of the life that was forgotten."""


async def values_left(kafka_url: str, person: Person, partitions: Collection[int], ids: Ids) -> dict[str, int]:
    """By topic, how many of the person's keys hold a value of theirs. Raises UnavailableError when Kafka is away."""
    decode = Decoder("customers", ids)

    def row(key: str, value: bytes) -> bool:
        try:
            return bool(decode(value)["revision"] <= person.revisions[key])
        except (UndecodableError, UnmetSchemaError):
            return True  # whatever it is, it stands under their key

    def state(key: str, value: bytes) -> bool:
        kept = load(value)
        return revision_of(kept.epoch, kept.offset) <= person.revisions[key]

    def hold(key: str, value: bytes) -> bool:
        kept = load_hold(value)
        return revision_of(kept.epoch, kept.offset) <= person.revisions[key]

    def alerts(_: str, value: bytes) -> bool:
        return standing.load(value).raised_at <= person.requested_at

    count = _Counting(kafka_url, person, partitions)
    return {
        "customers": await count("customers", b"", row),
        CHANGELOG: await count(CHANGELOG, b"", state) + await count(CHANGELOG, _HOLD, hold),
        ALERTS_CHANGELOG: await count(ALERTS_CHANGELOG, b"", alerts),
    }


class _Counting:
    """Counts the keys of one person by what their last values are."""

    def __init__(self, kafka_url: str, person: Person, partitions: Collection[int]) -> None:
        self._kafka_url = kafka_url
        self._keys = list(person.revisions)
        self._partitions = partitions

    async def __call__(self, topic: str, prefix: bytes, is_theirs: IsTheirs) -> int:
        kept = {prefix + key.encode(): key for key in self._keys}
        values = await last_values(self._kafka_url, topic, kept, self._partitions)
        return sum(value is not None and is_theirs(kept[key], value) for key, value in values.items())
