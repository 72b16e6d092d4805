"""The released versions, locked by their digests in released.json: what was ever written in is never edited."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

from schemas.contracts import SUBJECTS, Avro, kept_in

FILE = "released.json"

Digests = dict[str, dict[str, str]]
"""By subject, by version: the SHA-256 of the schema."""


def digest(schema: Avro) -> str:
    """The SHA-256 of a schema, documentation included, whatever its white space and order of keys."""
    return hashlib.sha256(json.dumps(schema, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def digests(folder: Traversable) -> Digests:
    """The digests of all the versions that a folder keeps."""
    return {
        subject: {str(each.version): digest(each.schema) for each in kept_in(folder, subject)} for subject in SUBJECTS
    }


def locked(folder: Traversable) -> Digests:
    """The digests of the released versions."""
    found: Digests = json.loads((folder / FILE).read_text("utf-8"))
    return found


def changes(folder: Traversable) -> Iterator[str]:
    """One line for every released version that was edited or removed."""
    kept = digests(folder)
    for subject, versions in locked(folder).items():
        for version, sha256 in versions.items():
            now = kept.get(subject, {}).get(version)
            if now is None:
                yield f"{subject} v{version} was removed, but it is released: put it back"
            elif now != sha256:
                yield f"{subject} v{version} was edited, but it is released: undo that and add a new version"


def unreleased(folder: Traversable) -> Iterator[str]:
    """One line for every version that is not locked yet."""
    known = locked(folder)
    for subject, versions in digests(folder).items():
        for version in versions:
            if version not in known.get(subject, {}):
                yield f"{subject} v{version} is not in {FILE}: when it is final, run `python -m schemas release`"


def release(folder: Path) -> None:
    """Lock every version that the folder keeps; what was locked already is left as it is."""
    kept, known = digests(folder), locked(folder)
    merged = {subject: {**kept[subject], **known.get(subject, {})} for subject in SUBJECTS}
    (folder / FILE).write_text(json.dumps(merged, indent=2) + "\n", "utf-8")
