"""A newer version of a contract, for tests only: how it writes, and a copy of the schemas that has it."""

from __future__ import annotations

import copy
import json
import shutil
from io import BytesIO
from pathlib import Path
from typing import Any

from fastavro import schemaless_writer

import schemas
from schemas.contracts import Avro, latest
from schemas.framing import header
from schemas.parsing import parsed_schema

MOOD = {"name": "mood", "type": ["null", "string"], "doc": "In the customer's own words.", "default": None}


def evolved(*added: Avro, subject: str = "touchpoints") -> Avro:
    """The latest version with more fields, the first in front of all others, where nobody can overlook it."""
    schema = copy.deepcopy(latest(subject).schema)
    first, *rest = added or (MOOD,)
    schema["fields"] = [first, *schema["fields"], *rest]
    return schema


def without(*names: str, subject: str = "touchpoints") -> Avro:
    """The latest version lacking some fields."""
    schema = copy.deepcopy(latest(subject).schema)
    schema["fields"] = [field for field in schema["fields"] if field["name"] not in names]
    return schema


class Writer:
    """Another program's encoder: of any schema, under any id."""

    def __init__(self, schema: Avro, schema_id: int) -> None:
        self._schema = parsed_schema(schema)
        self._header = header(schema_id)

    def __call__(self, record: dict[str, Any]) -> bytes:
        out = BytesIO()
        schemaless_writer(out, self._schema, record)
        return self._header + out.getvalue()


def copy_of_schemas(folder: Path) -> Path:
    """The folder of contracts as it is shipped, to be changed."""
    shutil.copytree(Path(schemas.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def add_version(folder: Path, schema: Avro, version: int = 2, subject: str = "touchpoints") -> None:
    (folder / subject).mkdir(parents=True, exist_ok=True)
    (folder / subject / f"v{version}.avsc").write_text(json.dumps(schema))
