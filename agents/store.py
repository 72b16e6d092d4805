"""The table's store: one dictionary of bytes per partition, filled from the changelog chunk by chunk.

Faust finds it by its entry point (`faust.stores`), as `partitioned://`. Recovery is Faust's own; what it reads comes
as chunks, so a million states take seconds.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from faust.stores import base
from faust.types import TP, EventT

States = dict[bytes, bytes]
OnOwnership = Callable[[set[int], set[int]], Awaitable[None]]
OnChange = Callable[[int, bytes, bytes | None], None]


class Store(base.Store, base.StoreT):
    """States by partition and key.

    `on_ownership`, when set, is awaited with (gained, lost) partitions before anything is recovered: fencing the
    previous owner must come before reading what it left. `on_change` is called for every state taken over.
    """

    on_ownership: OnOwnership | None = None
    on_change: OnChange | None = None

    def __post_init__(self) -> None:
        self.data: dict[int, States] = {}
        self._positions: dict[int, int] = {}

    def states(self, partition: int) -> States:
        """The states of one partition."""
        return self.data.setdefault(partition, {})

    def counts(self) -> dict[int, int]:
        """How many states each partition has."""
        return {partition: len(states) for partition, states in self.data.items()}

    def update(self, partition: int, written: Iterable[tuple[bytes | None, bytes | None]]) -> None:
        """Take over what was written to the changelog; None says that a key is gone."""
        for key, value in written:
            if key is not None:
                self._take(partition, key, value)

    def _take(self, partition: int, key: bytes, value: bytes | None) -> None:
        states = self.states(partition)
        if value is None:
            states.pop(key, None)
        else:
            states[key] = value
        if self.on_change is not None:
            self.on_change(partition, key, value)

    def wrote(self, partition: int, position: int) -> None:
        """Note that memory now equals the changelog up to, not including, this position."""
        self._positions[partition] = position - 1

    def persisted_offset(self, tp: TP) -> int:
        """The last changelog position that memory holds, -1 for none; recovery reads from there on."""
        return self._positions.get(tp.partition, -1)

    def set_persisted_offset(self, tp: TP, offset: int) -> None:
        """Faust's way of saying `wrote`."""
        self._positions[tp.partition] = offset

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Drop what is not ours any more, then take over what is new."""
        topic = self.table.changelog_topic_name
        owned = {tp.partition for tp in assigned if tp.topic == topic}
        lost = set(self.data) - owned | {tp.partition for tp in revoked if tp.topic == topic}
        for partition in lost:
            self.data.pop(partition, None)
            self._positions.pop(partition, None)
        if self.on_ownership is not None:
            await self.on_ownership(owned, lost)

    def apply_changelog_batch(
        self, batch: Iterable[EventT], to_key: Callable[[Any], Any], to_value: Callable[[Any], Any]
    ) -> None:
        """Take over the chunks of the changelog that recovery has read."""
        for event in batch:
            chunk = event.message.value
            known = self._positions.get(chunk.partition, -1)
            for record in chunk.records:
                if record.offset <= known:
                    continue  # memory is newer than what is read again
                self._take(chunk.partition, record.key, record.value)
            self._positions[chunk.partition] = max(known, chunk.next - 1)

    def reset_state(self) -> None:
        """Nothing is kept on disk."""

    async def backup_partition(self, tp: TP | int, flush: bool = True, purge: bool = False, keep: int = 1) -> None:
        """Nothing is kept on disk."""

    def restore_backup(self, tp: TP | int, latest: bool = True, backup_id: int = 0) -> None:
        """Nothing is kept on disk."""
