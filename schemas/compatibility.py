"""Whether a new version of a contract can live beside the old ones: readers and writers of both at once.

The rules are those of full compatibility in Avro's schema resolution: a field may be added or removed only if it has
a default, and a field that stays keeps its type. Widening (int to long) is refused too: it works one way only.
"""

from __future__ import annotations

from collections.abc import Iterator

from schemas.contracts import SUBJECTS, Avro, history


def problems() -> Iterator[str]:
    """One line for every incompatibility in the kept history; none when all versions can live together."""
    for subject in SUBJECTS:
        versions = history(subject)
        if [contract.version for contract in versions] != list(range(1, len(versions) + 1)):
            yield f"{subject}: versions must be numbered from 1 without gaps"
        for index, newer in enumerate(versions):
            for older in versions[:index]:
                where = f"{subject} v{older.version} -> v{newer.version}"
                yield from (f"{where}: {problem}" for problem in between(older.schema, newer.schema))


def between(older: Avro, newer: Avro, path: str = "") -> Iterator[str]:
    """What keeps two record schemas from being read by each other's readers."""
    before = {field["name"]: field for field in older["fields"]}
    after = {field["name"]: field for field in newer["fields"]}
    for name in before.keys() - after.keys():
        if "default" not in before[name]:
            yield f"{path}{name} was removed but had no default: old readers need it"
    for name in after.keys() - before.keys():
        if "default" not in after[name]:
            yield f"{path}{name} was added without a default: give it one"
    for name in before.keys() & after.keys():
        yield from _types(before[name]["type"], after[name]["type"], path + name)


def _types(before: object, after: object, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict) and before.get("type") == after.get("type"):
        kind = before["type"]
        if kind == "record":
            yield from between(before, after, path + ".")
            return
        if kind in {"array", "map"}:
            part = "items" if kind == "array" else "values"
            yield from _types(before[part], after[part], f"{path}.{part}")
            return
    if before != after:
        yield f"{path} changed its type from {before} to {after}: add a new field instead"
