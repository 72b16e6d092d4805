"""Whether a reader of one schema can read all that another can write, by the rules of Avro's schema resolution.

Stricter than these in one point: where both sides give a logical type, it must be the same one, since milliseconds
read as microseconds are no error to Avro and nonsense to everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from schemas.contracts import Avro
from schemas.parsing import expanded

_WIDER = {
    "int": {"long", "float", "double"},
    "long": {"float", "double"},
    "float": {"double"},
    "string": {"bytes"},
    "bytes": {"string"},
}
_NAMED = {"record", "enum", "fixed"}


def obstacles(writer: Avro, reader: Avro) -> Iterator[str]:
    """What keeps the reader from the writer's bodies, one line each; nothing when every body can be read.

    Raises InvalidSchemaError.
    """
    yield from _between(expanded(writer), expanded(reader), "")


def _between(writer: Any, reader: Any, path: str) -> Iterator[str]:
    if isinstance(writer, list):
        for branch in writer:
            yield from _between(branch, reader, path)
    elif isinstance(reader, list):
        if not any(_fits(writer, branch) for branch in reader):
            yield f"{_named(path)} is {_name(writer)}, which is none of {', '.join(map(_name, reader))}"
    else:
        yield from _single(writer, reader, path)


def _fits(writer: Any, reader: Any) -> bool:
    return next(_single(writer, reader, ""), None) is None


def _single(writer: Any, reader: Any, path: str) -> Iterator[str]:
    """Two types, neither of them a union."""
    written, read = _kind(writer), _kind(reader)
    if written != read:
        if read not in _WIDER.get(written, ()):
            yield f"{_named(path)} is {_name(writer)}, not {_name(reader)}"
        return
    if not isinstance(writer, dict) or not isinstance(reader, dict):
        return
    logical = writer.get("logicalType"), reader.get("logicalType")
    if None not in logical and logical[0] != logical[1]:
        yield f"{_named(path)} is {logical[0]}, not {logical[1]}"
    if read in _NAMED and not _same_name(writer, reader):
        yield f"{_named(path)} is {_name(writer)}, not {_name(reader)}"
    elif read == "record":
        yield from _fields(writer, reader, path)
    elif read in {"array", "map"}:
        part = "items" if read == "array" else "values"
        yield from _between(writer[part], reader[part], f"{path}.{part}")
    elif read == "enum" and "default" not in reader and (more := set(writer["symbols"]) - set(reader["symbols"])):
        yield f"{_named(path)} may be {', '.join(sorted(more))}, which the reader does not know"
    elif read == "fixed" and writer["size"] != reader["size"]:
        yield f"{_named(path)} has {writer['size']} bytes, not {reader['size']}"


def _fields(writer: Avro, reader: Avro, path: str) -> Iterator[str]:
    given = {field["name"]: field for field in writer["fields"]}
    for field in reader["fields"]:
        names = [field["name"], *field.get("aliases", ())]
        found = next((given[name] for name in names if name in given), None)
        where = f"{path}.{field['name']}".removeprefix(".")
        if found is not None:
            yield from _between(found["type"], field["type"], where)
        elif "default" not in field:
            yield f"{where} is not written, and has no default"


def _same_name(writer: Avro, reader: Avro) -> bool:
    names = {reader["name"], *reader.get("aliases", ())}
    return writer["name"].rpartition(".")[2] in {name.rpartition(".")[2] for name in names}


def _kind(schema: Any) -> str:
    return str(schema["type"] if isinstance(schema, dict) else schema)


def _name(schema: Any) -> str:
    return str(schema.get("name", _kind(schema)) if isinstance(schema, dict) else schema)


def _named(path: str) -> str:
    return path or "the whole"
