"""What the schema registry for tests and trials keeps, in memory, with the verdicts and codes of Confluent's."""

from __future__ import annotations

import json
from typing import Any

from schemas.compatibility import between, invalid

SUBJECT_NOT_FOUND = 40401
VERSION_NOT_FOUND = 40402
SCHEMA_NOT_FOUND = 40403
INCOMPATIBLE = 409
INVALID_SCHEMA = 42201


class RegistryError(Exception):
    """An answer other than 200; the HTTP status is the first three digits of the code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = int(str(code)[:3])


class Store:
    """Subjects, their versions, and the ids. The same schema has one id under every subject."""

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._versions: dict[str, list[int]] = {}

    def register(self, subject: str, text: str) -> int:
        """Add a version unless it is there. Raises RegistryError 409 or 42201."""
        schema = _normal(text)
        versions = self._versions.get(subject, [])
        if schema in map(self.schema, versions):
            return self._ids.index(schema) + 1
        if problems := self.problems(subject, text):
            raise RegistryError(INCOMPATIBLE, f"Schema being registered is incompatible: {'; '.join(problems)}")
        if schema not in self._ids:
            self._ids.append(schema)
        schema_id = self._ids.index(schema) + 1
        self._versions[subject] = [*versions, schema_id]
        return schema_id

    def problems(self, subject: str, text: str) -> list[str]:
        """What keeps a schema from living beside all versions of the subject. Raises RegistryError 42201."""
        new = _parse(text)
        older = [json.loads(self.schema(schema_id)) for schema_id in self._versions.get(subject, [])]
        return [problem for each in older for problem in between(each, new)]

    def find(self, subject: str, text: str) -> dict[str, Any]:
        """The version of the subject that has this schema. Raises RegistryError 40401, 40403 or 42201."""
        schema = _normal(text)
        for version, schema_id in enumerate(self.versions(subject), 1):
            if self.schema(schema_id) == schema:
                return {"subject": subject, "version": version, "id": schema_id, "schema": schema}
        raise RegistryError(SCHEMA_NOT_FOUND, "Schema not found")

    def versions(self, subject: str) -> list[int]:
        """The ids of the subject's versions, oldest first. Raises RegistryError 40401."""
        if subject not in self._versions:
            raise RegistryError(SUBJECT_NOT_FOUND, f"Subject '{subject}' not found.")
        return self._versions[subject]

    def version(self, subject: str, wanted: str) -> dict[str, Any]:
        """A version by its number, or `latest`. Raises RegistryError 40401 or 40402."""
        ids = self.versions(subject)
        number = len(ids) if wanted == "latest" else int(wanted) if wanted.isdecimal() else 0
        if not 1 <= number <= len(ids):
            raise RegistryError(VERSION_NOT_FOUND, f"Version {wanted} not found.")
        schema_id = ids[number - 1]
        return {"subject": subject, "version": number, "id": schema_id, "schema": self.schema(schema_id)}

    def schema(self, schema_id: int) -> str:
        """The text of an id. Raises RegistryError 40403."""
        if not 1 <= schema_id <= len(self._ids):
            raise RegistryError(SCHEMA_NOT_FOUND, f"Schema {schema_id} not found")
        return self._ids[schema_id - 1]


def _parse(text: str) -> dict[str, Any]:
    try:
        schema: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise RegistryError(INVALID_SCHEMA, f"Invalid schema: {error}") from error
    if found := list(invalid(schema)):
        raise RegistryError(INVALID_SCHEMA, f"Invalid schema: {'; '.join(found)}")
    return schema


def _normal(text: str) -> str:
    return json.dumps(_parse(text))
