"""What a profile counts against what has landed of its customer, and what may explain that they differ. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from shlex import quote

EXAMPLES = 3


class Verdict(Enum):
    """Why a profile and its touchpoints differ."""

    DIFFERS = auto()
    """Nothing explains it: touchpoints were passed over, or counted twice."""
    LOSS = auto()
    """Kafka lost an epoch, or the states, and nobody has rebuilt the customer since."""
    IMPORT = auto()
    """An import was withdrawn or restored, and its customers are not rebuilt yet."""
    CROWDED = auto()
    """So many touchpoints in one hour that a duplicate may count again (`pipeline.seen`)."""


@dataclass(frozen=True)
class Count:
    """One customer, as queries/profile_counts.sql describes it; `revision` 0: there is no profile.

    `moving` profiles are past the moment that is looked at, and say nothing.
    """

    customer_id: str
    revision: int
    counted: int
    rebuilt: int
    moving: bool
    certain: int
    before: int
    restored: int
    withdrawn: int
    doubtful: int
    restored_imports: int
    after_loss: bool

    @property
    def most(self) -> int:
        """The most that the profile can count if all is well."""
        return self.certain + self.before + self.restored + self.doubtful


def judge(count: Count, crowded: bool) -> Verdict:
    """Say what explains a difference; a touchpoint that must be counted and is not is never explained by a loss."""
    if count.after_loss and count.counted >= count.certain:
        return Verdict.LOSS
    if _follows_no_import(count):
        return Verdict.IMPORT
    if crowded and count.counted > count.most:
        return Verdict.CROWDED
    return Verdict.DIFFERS


def _follows_no_import(count: Count) -> bool:
    """Whether imports explain it: one that was withdrawn is still counted, or one that was restored is not at all.

    What came again while its import was withdrawn may be counted alone.
    """
    if count.counted > count.most:
        return count.counted <= count.most + count.withdrawn
    without = count.certain + count.before
    if count.restored_imports > 1:
        return count.certain <= count.counted
    return count.restored_imports == 1 and without <= count.counted <= without + count.doubtful


class Tally:
    """Counts customers by verdict, and keeps the first few of each."""

    def __init__(self) -> None:
        self._counts: dict[Verdict, int] = {}
        self._examples: dict[Verdict, list[Count]] = {}
        self.unsettled = 0
        """Customers who changed too fast to be compared."""

    @property
    def differing(self) -> int:
        """Customers whose difference nothing explains."""
        return self._counts.get(Verdict.DIFFERS, 0)

    def add(self, verdict: Verdict, count: Count) -> None:
        """Count one customer."""
        self._counts[verdict] = self._counts.get(verdict, 0) + 1
        examples = self._examples.setdefault(verdict, [])
        if len(examples) < EXAMPLES:
            examples.append(count)

    @property
    def notes(self) -> Iterator[str]:
        """What was found, in words, each with the command that mends it."""
        for verdict, words in _WORDS.items():
            if number := self._counts.get(verdict, 0):
                examples = self._examples[verdict]
                yield words.format(
                    number=number,
                    examples=_listed(examples, number),
                    options=" ".join(f"--customer {quote(count.customer_id)}" for count in examples),
                )
        if self.unsettled:
            yield f"{self.unsettled} customers changed too fast for their profiles to be compared: audit again later"


_WORDS = {
    Verdict.DIFFERS: (
        "{number} profiles do not count what has landed: {examples}; mend with: touchline rebuild {options}"
    ),
    Verdict.LOSS: (
        "{number} profiles do not count all that has landed, since Kafka lost an epoch or its states: {examples}; "
        "touchline rebuild --all takes it in"
    ),
    Verdict.IMPORT: (
        "{number} profiles have not followed an import that was withdrawn or restored: {examples}; "
        "unless that is under way, mend with: touchline rebuild {options}"
    ),
    Verdict.CROWDED: (
        "{number} profiles count duplicates, having more touchpoints in one hour than are remembered: {examples}; "
        "mend with: touchline rebuild {options}"
    ),
}


def _listed(counts: Iterable[Count], number: int) -> str:
    listed = [f"{count.customer_id} (counts {count.counted} of {_landed(count)})" for count in counts]
    more = [f"and {number - len(listed)} more"] if number > len(listed) else []
    return ", ".join(listed + more)


def _landed(count: Count) -> int:
    return count.certain + count.before + count.restored
