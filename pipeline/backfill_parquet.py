"""Parquet as backfills send it: with a mapping, or with column names that are field names, as in CSV.

It is read in batches of rows, so that memory is bounded whatever the size of the file and of its row groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pipeline.backfill_readers import Line, Source, mapped
from pipeline.errors import ConfigurationError, UsageError
from pipeline.tables.columns import needed
from pipeline.tables.loading import LoadedMapping
from pipeline.tables.own_names import own_names
from pipeline.tables.rows import Binding, refuse_dialect

BATCH_ROWS = 2_000
BUFFER_BYTES = 256 * 1024


def open_parquet(file: Path, raw: BinaryIO, mapping: LoadedMapping | None) -> Source:
    """Return the rows; their numbers count from 1.

    Raises UsageError, before the first row, for a file that is not Parquet, for a column of a type that no touchpoint
    has, and for times without a zone that the mapping gives none; ConfigurationError without the extra `parquet`.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415 (the extra `parquet` may be absent)
        import pyarrow.parquet as pq  # noqa: PLC0415

        from pipeline.parquet_cells import check_types  # noqa: PLC0415 (it needs pyarrow)
    except ImportError as error:
        raise ConfigurationError("Parquet needs pyarrow: pip install 'touchline[parquet]'") from error
    try:
        opened = pq.ParquetFile(raw, buffer_size=BUFFER_BYTES, pre_buffer=False)
        schema = opened.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise _damaged(file, error) from error
    if mapping is None:
        mapping = own_names(schema.names)
    else:
        refuse_dialect(mapping, "Parquet")
    Binding(mapping, schema.names)
    check_types(schema, mapping)
    size = raw.seek(0, 2)
    rows = _Rows(file, opened, needed(mapping.spec, schema.names), mapping)
    return Source(rows.lines(), lambda: size * rows.done // max(1, opened.metadata.num_rows))


def _damaged(file: Path, error: Exception) -> UsageError:
    why = " ".join(str(error).split())[:200]
    return UsageError(f"{file.name} is not Parquet, or it is damaged: {why}")


@dataclass
class _Rows:
    file: Path
    opened: Any
    names: list[str]
    mapping: LoadedMapping
    done: int = 0

    def lines(self) -> Iterator[Line]:
        binding = Binding(self.mapping, self.names)
        for columns, count in self._batches():
            rows = zip(*columns, strict=True) if columns else iter([()] * count)
            for number, cells in enumerate(rows, self.done + 1):
                yield mapped(number, self.names, cells, binding)
            self.done += count

    def _batches(self) -> Iterator[tuple[list[list[Any]], int]]:
        """The cells of a batch of rows, column by column, and how many rows there are."""
        import pyarrow as pa  # noqa: PLC0415 (open_parquet has seen to it)

        from pipeline.parquet_cells import cells_of  # noqa: PLC0415 (likewise)

        try:
            for batch in self.opened.iter_batches(BATCH_ROWS, columns=self.names, use_threads=False):
                yield [cells_of(batch.column(name)) for name in self.names], batch.num_rows
        except (pa.ArrowException, OSError) as error:
            raise _damaged(self.file, error) from error
