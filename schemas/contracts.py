"""The Avro contracts, one subject per topic, with every version that was ever in use.

A schema id is what Confluent framing carries in front of each body. Local ids are fixed here: the subject's number
times 1,000 plus the version, so an id never changes its meaning and needs no server.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

SUBJECTS = {"touchpoints": 1, "journeys": 2, "customers": 3, "risk": 4, "rejected": 5, "alerts": 6, "late": 7}
_IDS_PER_SUBJECT = 1_000

Avro = dict[str, Any]


@dataclass(frozen=True)
class Contract:
    """One version of one subject's schema. `schema` is the JSON as written in the .avsc file."""

    subject: str
    version: int
    schema: Avro

    @property
    def schema_id(self) -> int:
        """The id that framing carries: unique over all subjects and versions."""
        return SUBJECTS[self.subject] * _IDS_PER_SUBJECT + self.version


@cache
def history(subject: str) -> tuple[Contract, ...]:
    """All versions of a subject, oldest first. Raises KeyError for a subject that is not one."""
    if subject not in SUBJECTS:
        raise KeyError(subject)
    contracts = []
    folder = files("schemas") / subject
    for file in folder.iterdir():
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
    number, version = divmod(schema_id, _IDS_PER_SUBJECT)
    for subject, subject_number in SUBJECTS.items():
        if subject_number == number:
            return next((c for c in history(subject) if c.version == version), None)
    return None
