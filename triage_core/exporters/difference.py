"""What two versions of a dataset have in common, row by row: added, removed, changed; their rows are never loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from triage_core.errors import NotFound
from triage_core.exporters import folder, manifest, metadata
from triage_core.exporters.catalog import Built

NAMED = 1_000
"""So many rows of each kind are named."""


@dataclass(frozen=True, slots=True)
class Names:
    """How many examples there are, and the first of them in order of their names."""

    count: int
    first: list[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """The examples of the later version that the earlier one lacks, those that left, and those that read otherwise."""

    added: Names
    removed: Names
    changed: Names

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "added": self.added.count,
            "removed": self.removed.count,
            "removed_examples": self.removed.first,
            "changed": self.changed.count,
        }


def between(before: pa.Table, after: pa.Table) -> Difference:
    """From the row hashes of two versions, as `folder.row_hashes` gives them."""
    was, now = before[metadata.EXAMPLE_ID], after[metadata.EXAMPLE_ID]
    place = pc.index_in(now, was)  # a join of both tables would take four times the memory
    same = pc.equal(before[metadata.ROW_SHA256].take(place), after[metadata.ROW_SHA256])
    all_stay = len(place) - place.null_count == len(was)  # which most versions are: a third is spared

    def names(found: pa.ChunkedArray) -> Names:
        ordered = found.take(pc.array_sort_indices(found)[:NAMED]) if len(found) else found
        return Names(len(found), ordered.to_pylist())

    return Difference(
        names(now.filter(pc.is_null(place))),
        names(was.slice(0, 0) if all_stay else was.filter(pc.invert(pc.is_in(was, now)))),
        names(now.filter(pc.invert(same))),
    )


def of_versions(before: Built, after: Built) -> tuple[Difference, Mapping[str, tuple[int, int]]]:
    """How two built versions differ, and by part of their accounts ("label false", ...) the counts of both.

    Raises NotFound when the files of one are gone or damaged.
    """
    tables = []
    for built in (before, after):
        try:
            tables.append(folder.row_hashes(built.folder, built.manifest["layout"], built.manifest["format"]))
        except (OSError, ValueError, KeyError) as error:
            raise NotFound("dataset", f"the files of {built.name} {built.version} cannot be read") from error
        if not built.is_here:
            raise NotFound(
                "dataset", f"the files of {built.name} {built.version} are no longer in its folder"
            )
    return between(*tables), _counts(before.manifest, after.manifest)


def with_parent(
    parent: Mapping[str, Any] | None, scratch: Path, layout: str, format: str
) -> dict[str, Any] | None:
    """How new files differ from those of the parent (a row of `datasets`); None without one that can still be read."""
    if parent is None or not (Path(parent["folder"]) / manifest.FILE).is_file():
        return None
    try:
        before = folder.row_hashes(Path(parent["folder"]), parent["layout"], parent["format"])
    except (OSError, ValueError, KeyError):
        return None
    return between(before, folder.row_hashes(scratch, layout, format)).to_json()


def is_same(parent: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> bool:
    """Whether new files of rows and metadata are those of the parent (a row of `datasets`), byte for byte."""
    parts = (f"{folder.DATA}/", f"{folder.METADATA}/")
    before = [file for file in json.loads(parent["manifest"])["files"] if file["path"].startswith(parts)]
    return before == list(files)


def _counts(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Every count of the rows and of what was left out, where the two differ."""
    flat = []
    for account in (one, other):
        parts = {**account["rows"], "excluded": account["excluded"]}
        found = {"rows": parts.pop("total")}
        for part, counts in parts.items():
            found |= {f"{part} {name or 'none'}": count for name, count in counts.items()}
        flat.append(found)
    names = dict.fromkeys([*flat[0], *flat[1]])
    pairs = {name: (flat[0].get(name, 0), flat[1].get(name, 0)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
