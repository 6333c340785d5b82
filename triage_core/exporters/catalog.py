"""The datasets that have been built: their accounts, and their files as one archive."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from triage_core import db
from triage_core.errors import NotFound
from triage_core.exporters import manifest

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a ZIP can say: the same files give the same archive


@dataclass(frozen=True, slots=True)
class Built:
    """One version of a dataset: who built it when, into which folder, and its manifest."""

    name: str
    version: str
    created_at: datetime
    actor_id: str
    folder: Path
    manifest: dict[str, Any]
    is_retired: bool = False

    @property
    def is_here(self) -> bool:
        """True while the folder and every file of the manifest are where they were written."""
        return all((self.folder / path).is_file() for path in self._paths())

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(file["bytes"] for file in self.manifest["files"])

    def archive(self) -> Iterator[bytes]:
        """The version as a ZIP with the folder NAME-VERSION in it, part by part; only files that the manifest names.

        Raises NotFound when the files are no longer there.
        """
        if not self.is_here:
            raise NotFound("dataset", f"the files of {self.name} {self.version} are no longer in its folder")
        return self._packed()

    def _packed(self) -> Iterator[bytes]:
        parts = _Parts()
        with zipfile.ZipFile(parts, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in self._paths():
                entry = zipfile.ZipInfo(f"{self.name}-{self.version}/{path}", _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                with (
                    (self.folder / path).open("rb") as source,
                    packed.open(entry, "w", force_zip64=True) as target,
                ):
                    while part := source.read(1 << 20):
                        target.write(part)
                        yield parts.taken()
        yield parts.taken()

    def _paths(self) -> list[str]:
        return [manifest.FILE, *(str(file["path"]) for file in self.manifest["files"])]


class _Parts(io.RawIOBase):
    """A file that only grows, whose bytes are taken away as they come."""

    def __init__(self) -> None:
        super().__init__()
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._held += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        held, self._held = bytes(self._held), bytearray()
        return held


def subject(name: str, version: str) -> str:
    """What a ticket for the archive of a version is issued for."""
    return f"dataset {name}/{version}"


def one(cursor: db.Cursor, name: str, version: str) -> Built:
    """A version that was built. Raises NotFound."""
    found = _versions(cursor, "WHERE d.name = ? AND d.version = ?", [name, version])
    if not found:
        raise NotFound("dataset", f"there is no {name} {version}")
    return found[0]


def latest(cursor: db.Cursor) -> list[Built]:
    """The latest version of each dataset, by name."""
    return _versions(
        cursor,
        "QUALIFY row_number() OVER (PARTITION BY d.name ORDER BY created_at DESC, d.version DESC) = 1 ORDER BY d.name",
        [],
    )


def built(cursor: db.Cursor, page: int = 1, size: int = 10) -> tuple[list[Built], int]:
    """Datasets, the newest first, and their count."""
    versions = _versions(
        cursor, "ORDER BY created_at DESC, d.name, d.version DESC LIMIT ? OFFSET ?", [size, (page - 1) * size]
    )
    return versions, int(db.value(cursor, "SELECT count(*) FROM datasets"))


def kept(cursor: db.Cursor, most: int) -> list[tuple[str, str]]:
    """(name, version) of those that were not retired, the newest first."""
    found = db.rows(
        cursor,
        "SELECT name, version FROM datasets ANTI JOIN dataset_retirements USING (name, version)"
        " ORDER BY created_at DESC, name, version DESC LIMIT ?",
        [most],
    )
    return [(row["name"], row["version"]) for row in found]


def _versions(cursor: db.Cursor, which: str, values: list[Any]) -> list[Built]:
    found = db.rows(
        cursor,
        "SELECT d.name, d.version, created_at, d.actor_id, folder, manifest, r.version IS NOT NULL AS is_retired"
        f" FROM datasets d LEFT JOIN dataset_retirements r ON r.name = d.name AND r.version = d.version {which}",
        values,
    )
    return [
        Built(**{**row, "folder": Path(row["folder"]), "manifest": json.loads(row["manifest"])})
        for row in found
    ]
