"""The one place that knows DuckDB: opening a file, cursors, rows and bulk inserts.

One process holds a DuckDB file at a time. A connection object shared by threads mixes up their
results, so every call takes a fresh cursor. Times are stored as UTC TIMESTAMP without a zone and
given back as aware datetimes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from triage_core.errors import StoreBusy, StoreError

Cursor = duckdb.DuckDBPyConnection
Row = dict[str, Any]
Error = duckdb.Error

_FIRST = datetime.min.replace(tzinfo=UTC)
MIB = 2**20
_MOMENT, _UTC_MOMENT = pa.timestamp("us"), pa.timestamp("us", "UTC")
LEAST_MIB = 1_024


class Database:
    """An open DuckDB file, shut off from every other file and from the network."""

    def __init__(self, path: Path, memory_mib: int = 0) -> None:
        """`memory_mib` is what its buffers may hold; what does not fit spills to a folder beside the file.

        0: about a tenth of the machine's memory, at least LEAST_MIB; vectors and clusters need the rest.
        """
        config: dict[str, Any] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "threads": str(os.cpu_count() or 2),
        }
        try:
            self._root = duckdb.connect(str(path), config=config)
        except duckdb.IOException as error:
            # By its beginning: the name of the file stands in the message too.
            if str(error).startswith("IO Error: Could not set lock on file"):
                raise StoreBusy(f"{path.name} is held by another process: {error}") from error
            raise
        folder = str(path.resolve().parent).replace("'", "''")
        # External access off last: it can only be narrowed afterwards, and the lock keeps it so.
        try:
            if not memory_mib:
                # Its own choice is 80% of what this machine or container has.
                own = value(self._root, "SELECT parse_formatted_bytes(current_setting('memory_limit'))")
                memory_mib = min(own // MIB, max(LEAST_MIB, own // MIB // 8))
            for statement in (
                f"SET memory_limit = '{memory_mib}MiB'",
                "SET TimeZone = 'UTC'",
                f"SET allowed_directories = ['{folder}']",
                "SET enable_external_access = false",
                "SET lock_configuration = true",
            ):
                self._root.execute(statement)
        except duckdb.InvalidInputException as error:
            self._root.close()
            raise StoreBusy(f"{path.name} is already open in this process") from error

    def cursor(self) -> Cursor:
        """A cursor of its own for one call; the caller closes it."""
        return self._root.cursor()

    def close(self) -> None:
        self._root.close()


@contextmanager
def transaction(cursor: Cursor) -> Iterator[Cursor]:
    """One transaction on `cursor`: committed at the end, rolled back by any exception.

    Raises StoreError for what DuckDB cannot do with its file or in this memory; a statement that is
    wrong in itself is a bug and stays what it is.
    """
    try:
        cursor.execute("BEGIN TRANSACTION")
        try:
            yield cursor
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")
    except duckdb.ProgrammingError:
        raise
    except duckdb.Error as error:
        raise StoreError(
            f"the database failed ({error}): check the disk, else restore the last backup"
        ) from error


@contextmanager
def attached(cursor: Cursor, path: Path, name: str) -> Iterator[None]:
    """A new file as a database of this name while this lasts; the path lies in the folder of the store.

    What was written is in the file at the end. Raises StoreError.
    """
    quoted = str(path.resolve()).replace("'", "''")
    try:
        cursor.execute(f"ATTACH '{quoted}' AS {name}")
        try:
            yield
        finally:
            cursor.execute(f"DETACH {name}")
    except duckdb.Error as error:
        raise StoreError(f"{path.name} cannot be written ({error}): check the disk") from error


def copy(cursor: Cursor, name: str, progress: Callable[[int, int], None]) -> None:
    """Every table and view, as the running transaction sees them, into the attached database of this name.

    `progress` is told how many rows are written, and of how many about.
    """
    own = value(cursor, "SELECT current_database()")
    tables = rows(
        cursor,
        "SELECT table_name AS name, estimated_size AS size FROM duckdb_tables()"
        " WHERE database_name = ? AND NOT temporary ORDER BY size, name",
        [own],
    )
    cursor.execute(f"COPY FROM DATABASE {own} TO {name} (SCHEMA)")
    done, total = 0, sum(table["size"] for table in tables)
    for table in tables:
        progress(done, total)
        done += value(cursor, f"INSERT INTO {name}.{table['name']} SELECT * FROM {own}.{table['name']}")
    progress(done, done)


def aware(value: Any) -> Any:
    """`value`, with the UTC zone attached where it is a naive datetime."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return _FIRST + (value - datetime.min)  # a tenth of the time of replace()
    return value


def naive(value: datetime | None) -> datetime | None:
    """An aware datetime as the UTC TIMESTAMP that is stored."""
    return None if value is None else value.astimezone(UTC).replace(tzinfo=None)


def rows(cursor: Cursor, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[Row]:
    """All rows of a query as dicts; times aware."""
    cursor.execute(sql, parameters)
    described = cursor.description or []
    names = [column[0] for column in described]
    found = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    for name in (column[0] for column in described if str(column[1]).startswith("TIMESTAMP")):
        for one in found:
            one[name] = aware(one[name])
    return found


def row(cursor: Cursor, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Row | None:
    """The first row of a query as a dict, or None."""
    found = rows(cursor, sql, parameters)
    return found[0] if found else None


def value(cursor: Cursor, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Any:
    """The first column of the first row, or None."""
    # All rows are fetched: a result that is not read to its end blocks the cursor.
    found = cursor.execute(sql, parameters).fetchall()
    return aware(found[0][0]) if found else None


def frame(cursor: Cursor, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pd.DataFrame:
    """A query as a pandas DataFrame (times naive, UTC)."""
    return cursor.execute(sql, parameters).df()


def arrow(cursor: Cursor, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> pa.Table:
    """A query as an Arrow table: the way for vectors."""
    return cursor.sql(sql, params=parameters or None).to_arrow_table()


def batches(
    cursor: Cursor, sql: str, parameters: Sequence[Any] | Mapping[str, Any] = (), size: int = 50_000
) -> Iterator[pa.RecordBatch]:
    """A query as Arrow batches, for what does not fit into memory twice."""
    yield from cursor.sql(sql, params=parameters or None).to_arrow_reader(size)


def insert(cursor: Cursor, table: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Insert dicts that share the same keys; through Arrow, since row by row is 50 times slower.

    `table` and the keys are names in our own code, never data.
    """
    if not records:
        return
    names = list(records[0])
    if len(records) == 1:
        marks = ", ".join("?" for _ in names)
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",
            [_plain(records[0][name]) for name in names],
        )
        return
    columns = {name: _column([record[name] for record in records]) for name in names}
    insert_arrow(cursor, table, pa.table(columns))


def insert_arrow(cursor: Cursor, table: str, data: pa.Table) -> None:
    """Insert an Arrow table by column name."""
    with registered(cursor, "incoming_rows", data):
        names = ", ".join(data.column_names)
        cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM incoming_rows")


@contextmanager
def registered(cursor: Cursor, name: str, data: pa.Table) -> Iterator[None]:
    """An Arrow table as a table of this name while this lasts; a list as a parameter is many times slower."""
    cursor.register(name, data)
    try:
        yield
    finally:
        cursor.unregister(name)


def _plain(item: Any) -> Any:
    return naive(item) if isinstance(item, datetime) else item


def _column(values: list[Any]) -> pa.Array:
    first = next((item for item in values if item is not None), None)
    # A column of nothing but None has no type of its own; text casts to every type that we use.
    if first is None:
        return pa.array(values, pa.string())
    if isinstance(first, datetime):
        return pa.array(values, _UTC_MOMENT).cast(_MOMENT)
    return pa.array(values)
