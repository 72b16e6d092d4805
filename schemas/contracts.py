"""The Avro contracts, one subject per topic, with every version that was ever in use.

A schema id is what Confluent framing carries in front of each body. Local ids are fixed here: the subject's number
times 1,000 plus the version, so an id never changes its meaning and needs no server. A registry gives out others
(`schemas.registered`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

SUBJECTS = {"touchpoints": 1, "journeys": 2, "customers": 3, "risk": 4, "rejected": 5, "alerts": 6, "late": 7}
IDS_PER_SUBJECT = 1_000

Avro = dict[str, Any]


@dataclass(frozen=True)
class Contract:
    """One version of one subject's schema. `schema` is the JSON as written in the .avsc file."""

    subject: str
    version: int
    schema: Avro

    @property
    def schema_id(self) -> int:
        """The local id: unique over all subjects and versions."""
        return SUBJECTS[self.subject] * IDS_PER_SUBJECT + self.version


@cache
def history(subject: str) -> tuple[Contract, ...]:
    """All versions of a subject, oldest first. Raises KeyError for a subject that is not one."""
    if subject not in SUBJECTS:
        raise KeyError(subject)
    return kept_in(files("schemas"), subject)


def kept_in(folder: Traversable, subject: str) -> tuple[Contract, ...]:
    """The versions of a subject that a folder keeps as `<subject>/v<version>.avsc`, oldest first."""
    contracts = []
    for file in (folder / subject).iterdir():
        if file.name.endswith(".avsc"):
            version = int(file.name.removeprefix("v").removesuffix(".avsc"))
            contracts.append(Contract(subject, version, json.loads(file.read_text("utf-8"))))
    return tuple(sorted(contracts, key=lambda contract: contract.version))


def latest(subject: str) -> Contract:
    """The version that writers use."""
    return history(subject)[-1]


@cache
def by_id(schema_id: int) -> Contract | None:
    """The contract a framed body names, or None when no such id was ever given out."""
    number, version = divmod(schema_id, IDS_PER_SUBJECT)
    for subject, subject_number in SUBJECTS.items():
        if subject_number == number:
            return next((c for c in history(subject) if c.version == version), None)
    return None
