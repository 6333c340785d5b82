"""The files of one version of a dataset: rows as they come, read back for comparison, nothing half done.

    data/train.<ext>, data/test.<ext>            the rows
    __metadata__/train.<ext>, .../test.<ext>     strict layout: the same rows' metadata, in the same order
    __metadata__/redactions.jsonl                where placeholders stand for personal data, without the data
    README.md, manifest.json                     the dataset card and the account

A loader that is pointed at the folder without the card leaves out names that start with two
underscores; so the metadata never ends up between the rows. A side without rows has no file, since
an empty one stops the loader.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from triage_core.exporters import metadata
from triage_core.exporters.jsonl import LinesWriter
from triage_core.exporters.make import Made
from triage_core.exporters.packs import PACKS
from triage_core.exporters.parquet import GROUP_ROWS, ParquetWriter
from triage_core.exporters.split import Split

DATA = "data"
METADATA = "__metadata__"
REDACTIONS = f"{METADATA}/redactions.jsonl"
DIGITS = 16
REDACTION = pa.schema(
    [
        ("report_id", pa.string()),
        ("turn", pa.int64()),
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("kind", pa.string()),
        ("placeholder", pa.string()),
    ]
)


class Writer(Protocol):
    def write(self, rows: pa.Table) -> None: ...


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How rows become a file: its ending and its writer, and the format of the metadata beside them."""

    extension: str
    open: Callable[[Path, pa.Schema], AbstractContextManager[Writer]]
    metadata: str


FORMATS: Mapping[str, FileFormat] = MappingProxyType(
    {
        "jsonl": FileFormat("jsonl", LinesWriter, "jsonl"),
        "parquet": FileFormat("parquet", ParquetWriter, "parquet"),
        **{name: FileFormat(pack.extension, pack.open, "jsonl") for name, pack in PACKS.items()},
    }
)


class FolderWriter:
    """Writes rows into a new folder; complete when the context ends without an error."""

    def __init__(self, folder: Path, schema: pa.Schema, layout: str, format: str) -> None:
        self._folder = folder
        self._rich = layout == "rich"
        self._schema = schema_of(schema, layout)
        self._format = format
        self._stack = ExitStack()
        self._open: dict[tuple[str, Split], Writer] = {}
        self._redactions: LinesWriter | None = None

    def add(self, made: Made) -> None:
        """Write rows, what is told about them, and once a report what was redacted in it."""
        self._log(made)
        for side, ours in ((Split.TRAIN, ~made.test), (Split.TEST, made.test)):
            if not ours.any():
                continue
            mask = pa.array(ours)
            rows, told = made.rows.table.filter(mask), made.meta.filter(mask)
            if self._rich:
                columns = [*rows.columns, *told.columns]
                self._writer(DATA, side, self._schema).write(pa.table(columns, schema=self._schema))
                continue
            self._writer(DATA, side, self._schema).write(rows)
            self._writer(METADATA, side, metadata.SCHEMA).write(told)

    def _log(self, made: Made) -> None:
        spans = [(at, span) for at, found in made.reports.redactions.items() for span in found]
        if not spans:
            return
        if self._redactions is None:
            path = self._folder / REDACTIONS
            path.parent.mkdir(parents=True, exist_ok=True)
            self._redactions = self._stack.enter_context(LinesWriter(path, REDACTION))
        ids = made.reports.facts["report_id"]
        told = [
            {
                "report_id": ids[at].as_py(),
                "turn": span.text,
                "start": span.start,
                "end": span.end,
                "kind": str(span.kind),
                "placeholder": span.placeholder,
            }
            for at, span in spans
        ]
        self._redactions.write(pa.Table.from_pylist(told, REDACTION))

    def _writer(self, part: str, split: Split, schema: pa.Schema) -> Writer:
        if (part, split) not in self._open:
            path = self._folder / file_name(part, split, self._format)
            path.parent.mkdir(parents=True, exist_ok=True)
            kind = FORMATS[FORMATS[self._format].metadata if part == METADATA else self._format]
            writer = self._stack.enter_context(kind.open(path, schema))
            self._open[part, split] = writer
        return self._open[part, split]

    def __enter__(self) -> FolderWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)


def schema_of(schema: pa.Schema, layout: str) -> pa.Schema:
    """The columns of the data files: those of the profile, in the rich layout followed by the metadata."""
    return pa.schema([*schema, *metadata.FIELDS]) if layout == "rich" else schema


def file_name(part: str, split: Split, format: str) -> str:
    """The path of one file within the folder."""
    kind = FORMATS[format]
    return f"{part}/{split}.{kind.metadata if part == METADATA else kind.extension}"


def companions(format: str) -> Mapping[str, str]:
    """The files that a tool needs beside the rows, by name."""
    return PACKS[format].companions if format in PACKS else {}


def row_hashes(folder: Path, layout: str, format: str) -> pa.Table:
    """(meta_example_id, meta_row_sha256) of every row, of the hash its first `DIGITS`: 64 bits tell two rows apart.

    Raises OSError, ValueError or KeyError for damaged files.
    """
    columns = [metadata.EXAMPLE_ID, metadata.ROW_SHA256]
    return pa.concat_tables(
        one.set_column(1, metadata.ROW_SHA256, pc.utf8_slice_codeunits(one[metadata.ROW_SHA256], 0, DIGITS))
        for one in _told(folder, layout, format, columns)
    )


def report_ids(folder: Path, layout: str, format: str) -> set[str]:
    """The reports that a version holds; none where its files are gone."""
    return {
        name for one in _told(folder, layout, format, [metadata.REPORT_ID]) for name in one[0].to_pylist()
    }


def rows_by_reporter(folder: Path, layout: str, format: str) -> Counter[str]:
    """How many rows of a version are whose, "" for those without a name; none where its files are gone."""
    found: Counter[str] = Counter()
    for one in _told(folder, layout, format, [metadata.REPORTER_ID]):
        found.update({row["values"]: row["counts"] for row in one[0].value_counts().to_pylist()})
    return found


def _told(folder: Path, layout: str, format: str, columns: list[str]) -> Iterator[pa.Table]:
    """These columns of all rows, some rows at a time."""
    schema = pa.schema([(name, pa.string()) for name in columns])
    yield schema.empty_table()
    part = DATA if layout == "rich" else METADATA
    for path in (folder / file_name(part, split, format) for split in Split):
        if not path.is_file():
            continue
        if path.suffix != ".parquet":
            yield _json_table(path, columns)
            continue
        with pq.ParquetFile(path, pre_buffer=False) as opened:  # read ahead, it would take as much again
            for batch in opened.iter_batches(GROUP_ROWS, columns=columns):
                yield pa.Table.from_batches([batch]).select(columns).cast(schema)


def _json_table(path: Path, columns: list[str]) -> pa.Table:
    values: dict[str, list[str]] = {name: [] for name in columns}
    with path.open("rb") as file:
        for line in file:
            row = json.loads(line)
            for name in columns:
                values[name].append(row[name])
    return pa.table({name: pa.array(found, pa.string()) for name, found in values.items()})
