"""Whether a new version of a contract can live beside the old ones: readers and writers of both at once.

The rules are those of full compatibility in Avro's schema resolution: a field may be added or removed only if it has
a default, and a field that stays keeps its type. Widening (int to long) is refused too: it works one way only. So is
renaming, even with an alias: only newer readers know of it, neither older ones nor the tables that versions land in.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from fastavro.validation import validate

from schemas.contracts import SUBJECTS, Avro, Contract, kept_in
from schemas.parsing import InvalidSchemaError, parsed_schema


def problems(folder: Traversable | None = None) -> Iterator[str]:
    """One line for every incompatibility in the kept history; none when all versions can live together."""
    for subject in SUBJECTS:
        versions = kept_in(folder if folder is not None else files("schemas"), subject)
        if not versions or [contract.version for contract in versions] != list(range(1, len(versions) + 1)):
            yield f"{subject}: versions must be numbered from 1 without gaps"
        wrong = [f"{subject} v{each.version}: {problem}" for each in versions for problem in invalid(each.schema)]
        yield from wrong or _apart(subject, versions)


def _apart(subject: str, versions: tuple[Contract, ...]) -> Iterator[str]:
    for index, newer in enumerate(versions):
        for older in versions[:index]:
            where = f"{subject} v{older.version} -> v{newer.version}"
            yield from (f"{where}: {problem}" for problem in between(older.schema, newer.schema))


def invalid(schema: Any) -> Iterator[str]:
    """What makes a schema none that a contract could have."""
    try:
        parsed = parsed_schema(schema)
    except InvalidSchemaError as error:
        yield str(error)
        return
    if not isinstance(parsed, dict) or parsed["type"] != "record":
        yield "it must be a record"
        return
    yield from _defaults(parsed, "")


def _defaults(schema: Any, path: str) -> Iterator[str]:
    """The first branch of a union is the one its default must fit; the library checks all other defaults itself."""
    if isinstance(schema, list):
        for branch in schema:
            yield from _defaults(branch, path)
    elif isinstance(schema, dict):
        for field in schema.get("fields", ()):
            kind, where = field["type"], f"{path}.{field['name']}".removeprefix(".")
            if "default" in field and isinstance(kind, list) and not _fits(field["default"], kind[0]):
                yield f"{where} has a default that does not fit the first type of its union"
            yield from _defaults(kind, where)
        yield from _defaults(schema.get("items") or schema.get("values"), path)


def _fits(default: Any, kind: Any) -> bool:
    value = default.encode("latin-1") if kind == "bytes" and isinstance(default, str) else default
    return bool(validate(value, kind, raise_errors=False))


def between(older: Avro, newer: Avro, path: str = "") -> Iterator[str]:
    """What keeps two record schemas from being read by each other's readers."""
    if _full_name(older) != _full_name(newer):
        yield f"{path or 'the record'} was renamed from {_full_name(older)} to {_full_name(newer)}"
    before = {field["name"]: field for field in older["fields"]}
    after = {field["name"]: field for field in newer["fields"]}
    for name in sorted(before.keys() - after.keys()):
        if "default" not in before[name]:
            yield f"{path}{name} was removed but had no default: old readers need it"
    for name in sorted(after.keys() - before.keys()):
        if "default" not in after[name]:
            yield f"{path}{name} was added without a default: give it one"
        for old in sorted(set(after[name].get("aliases", ())) & before.keys()):
            yield f"{path}{old} was renamed to {name}: old readers and tables do not know; add a field beside it"
    for name in sorted(before.keys() & after.keys()):
        yield from _types(before[name]["type"], after[name]["type"], path + name)


def _types(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict) and before.get("type") == after.get("type"):
        kind = before["type"]
        if kind == "record":
            yield from between(before, after, path + ".")
            return
        if kind in {"array", "map"}:
            part = "items" if kind == "array" else "values"
            yield from _types(before[part], after[part], f"{path}.{part}")
            return
    if _undocumented(before) != _undocumented(after):
        yield f"{path} changed its type from {before} to {after}: add a new field instead"


def _full_name(record: Avro) -> str:
    return f"{record.get('namespace', '')}.{record['name']}".removeprefix(".")


def _undocumented(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_undocumented(item) for item in schema]
    if isinstance(schema, dict):
        return {key: _undocumented(item) for key, item in schema.items() if key != "doc"}
    return schema
