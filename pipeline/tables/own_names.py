"""The mapping of a table whose columns have the names of a touchpoint's fields already."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.errors import UsageError
from pipeline.tables.checks import check_required
from pipeline.tables.loading import LoadedMapping
from pipeline.tables.spec import MAPPABLE, FieldSpec, Mapping

_PREFIX = "attributes."


def own_names(names: Sequence[str]) -> LoadedMapping:
    """Map every column to the field of its name, `attributes` and `attributes.<name>` to attributes.

    Raises UsageError for a name that is none of these, and where a field is missing that every touchpoint needs.
    """
    fields = {name: FieldSpec(column=name) for name in names if name in MAPPABLE}
    attributes = {name.removeprefix(_PREFIX): name for name in names if name.startswith(_PREFIX) and name != _PREFIX}
    if "attributes" in names:
        attributes[""] = "attributes"
    for name in names:
        if name not in fields and name not in attributes.values():
            fix = f"name it {_PREFIX}{name}, or one of {', '.join(MAPPABLE)}; or give a --mapping"
            raise UsageError(f"column {name!r} is not a field of a touchpoint: {fix}")
    mapping = Mapping(fields=fields, attributes=attributes)
    try:
        check_required(mapping)
    except UsageError as error:
        raise UsageError(f"{error}; name the column so, or give a --mapping") from error
    return LoadedMapping(mapping, "by the columns' own names", "")
