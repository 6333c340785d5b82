"""Build a dataset: one consistent look at the store, one folder that appears whole, one record.

A version stands for its rows. It is built again elsewhere or in another format only as the same
rows; otherwise it is refused, and a new version is the answer.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from triage_core import access, audit, db, queries
from triage_core.disclosure.embargo import SUFFICIENT
from triage_core.errors import Conflict, Refused
from triage_core.exporters import beside, card, croissant, difference, manifest, profiles, source
from triage_core.exporters.beside import Progress
from triage_core.exporters.folder import FolderWriter, companions
from triage_core.exporters.gate import MEANING, Reason
from triage_core.exporters.make import Made, Taken
from triage_core.exporters.manifest import Tally
from triage_core.exporters.profiles import Profile
from triage_core.exporters.request import ExportRequest
from triage_core.exporters.select import forbidden, select, splits
from triage_core.exporters.split import Seqs, Split, Splits
from triage_core.guidance.policy import Policy
from triage_core.model import Actor
from triage_core.outgoing import follow_through
from triage_core.store import Store, Work

__all__ = ["ExportRequest", "Preview", "build", "preview"]

_PROCESS = os.urandom(4).hex()


def build(
    store: Store, policy: Policy, actor: Actor, request: ExportRequest, progress: Progress | None = None
) -> dict[str, Any]:
    """Write the dataset into its folder and record it; gives the manifest and `folder`, the path.

    `progress` is told now and then how many of how many reports have been read; when it raises, the build stops and
    leaves nothing. Raises Conflict when the folder is there already or the version stands for other rows, Refused
    when there would be no row or a prompt would be in train and test, NotAllowed for an actor without the role.
    """
    made = _beside(store, policy, actor, request, False, progress)
    assert made is not None, "only where nothing changed there is none"
    return made


def build_changed(
    store: Store, policy: Policy, actor: Actor, request: ExportRequest, progress: Progress | None = None
) -> dict[str, Any] | None:
    """The same for the next version of a dataset; None, and none is made, where the files of rows stay to the byte.

    Such a version may be without rows: whoever takes the latest one shall not go on with rows that had to leave.
    """
    return _beside(store, policy, actor, request, True, progress)


def _beside(
    store: Store,
    policy: Policy,
    actor: Actor,
    request: ExportRequest,
    only_changed: bool,
    progress: Progress | None,
) -> dict[str, Any] | None:
    access.require(actor, "export_dataset")
    try:
        request.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused("out", f"{request.out} cannot be made a folder: {error.strerror}") from error
    try:
        return beside.run(partial(_build, store, policy, actor, request, only_changed), progress or _silent)
    except OSError as error:  # a disk that is full, or has gone
        raise Refused("out", f"{request.out} cannot be written to: {error.strerror or error}") from error


def _build(
    store: Store,
    policy: Policy,
    actor: Actor,
    request: ExportRequest,
    only_changed: bool,
    progress: Progress,
) -> dict[str, Any] | None:
    with store.read() as cursor:
        now, read_at = store.clock(), audit.head(cursor).seq
        line = _line(cursor, request)
        folder = (request.out / request.dataset / line.version).resolve()
        if folder.exists():
            raise Conflict(
                "version", f"{folder} is there already, and a version never changes: choose another"
            )
        with _scratch(store.path, folder) as scratch:
            profile = profiles.get(request.profile)
            sides = splits(cursor)
            considered = queries.count(cursor, request.chosen)
            tally = Tally(profile, source.last_seq(cursor), partial(progress, considered, considered))
            fresh = _FreshSides(sides)
            batches = beside.ahead(select(cursor, policy, request, sides, now, progress, read_ahead=True))
            with (
                closing(batches),  # what goes wrong here leaves nobody reading on
                FolderWriter(scratch, profile.schema, request.layout, request.format) as writer,
            ):
                for batch in batches:
                    tally.add(batch)
                    if batch.made:
                        writer.add(batch.made)
                        fresh.note(batch.made.reports)
            tally.reconcile(considered)
            if only_changed and line.parent and difference.is_same(line.parent, manifest.files(scratch)):
                return None
            if not (tally.rows or only_changed):
                raise _no_rows(tally, considered)
            account = manifest.document(
                cursor,
                request,
                tally,
                version=line.version,
                created_at=line.created_at or now,
                policy_version=policy.version,
                moved_to_test=fresh.moved_to_test,
                parent=line.parent["version"] if line.parent else None,
                diff=difference.with_parent(line.parent, scratch, request.layout, request.format),
            )
            _describe(scratch, request.format, profile, policy, account)
            with _in_place(scratch, folder), store.write(actor, "export_dataset") as work:
                _require_allowed(work.cursor, profile, fresh, now, read_at)
                if _record(work, request, account, folder):
                    used = pa.chunked_array(fresh.used, pa.string())
                    follow_through.trained(work, used, request.dataset, line.version)
                    covers = SUFFICIENT[profile.use]
                    follow_through.left(work, used, covers, request.dataset, line.version)
                fresh.remember(work.cursor)
    return {**account, "folder": str(folder)}


def _describe(folder: Path, format: str, profile: Profile, policy: Policy, account: dict[str, Any]) -> None:
    """Write what is told of the rows beside them, and the manifest, `account`, which then names every other file."""
    for name, content in companions(format).items():
        _write(folder / name, content)
    account["files"] = manifest.files(folder)
    _write(folder / card.FILE, card.render(profile, policy, account))
    account["files"].insert(0, manifest.file(folder, folder / card.FILE))
    if account["rows"]["total"] and croissant.describes(format):
        _write(folder / croissant.FILE, croissant.render(profile, account))
        account["files"].append(manifest.file(folder, folder / croissant.FILE))
    _write(folder / manifest.FILE, json.dumps(account, indent=2, ensure_ascii=True) + "\n")


@dataclass(frozen=True, slots=True)
class Preview:
    """What `build` would write: rows as {split, row, meta}, and the counts as they would stand in the manifest.

    `behind` names the first reports of each reason. `unread` reports have not been looked at: the counts are those
    of the others.
    """

    rows: list[dict[str, Any]]
    counts: dict[str, Any]
    behind: dict[Reason, list[str]]
    unread: int


def preview(
    store: Store, policy: Policy, request: ExportRequest, limit: int = 20, most: int = 5_000
) -> Preview:
    """The first `limit` rows of a dataset, and the counts; stores nothing.

    Stops when `most` reports have become rows, so that a page need not wait for a million.
    """
    profile = profiles.get(request.profile)
    rows: list[dict[str, Any]] = []
    with store.read() as cursor:
        tally = Tally(profile, source.last_seq(cursor))
        with closing(select(cursor, policy, request, splits(cursor), store.clock(), _silent)) as batches:
            for batch in batches:
                tally.add(batch)
                if batch.made and len(rows) < limit:
                    rows += _shown(batch.made, limit - len(rows))
                if tally.rows >= most:
                    break
        seqs = sorted({seq for seqs in tally.behind.values() for seq in seqs})
        names = dict(zip(seqs, source.ids(cursor, np.array(seqs, np.int64)).to_pylist(), strict=True))
        behind = {reason: [names[seq] for seq in seqs] for reason, seqs in tally.behind.items()}
        counts = tally.to_json()
        unread = queries.count(cursor, request.chosen) - counts["considered"]
    return Preview(rows, counts, behind, unread)


def _shown(made: Made, limit: int) -> list[dict[str, Any]]:
    """The first rows for people."""
    told = zip(
        made.test.tolist(),
        made.rows.table.slice(0, limit).to_pylist(),
        made.meta.slice(0, limit).to_pylist(),
        strict=False,
    )
    return [
        {"split": str(Split.TEST if test else Split.TRAIN), "row": row, "meta": meta}
        for test, row, meta in told
    ]


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a build stands among the versions of its dataset: the version, when its manifest was first made (None:
    never), the record of the version before it."""

    version: str
    created_at: datetime | None
    parent: db.Row | None


@dataclass(slots=True)
class _FreshSides:
    """The sides that this build draws, to be remembered, and all reports that it takes."""

    sides: Splits
    seqs: list[Seqs] = field(default_factory=list)
    used: list[pa.Array] = field(default_factory=list)
    moved_to_test: list[str] = field(default_factory=list)

    def note(self, reports: Taken) -> None:
        seqs, ids = reports.facts["seq"].to_numpy(), reports.facts["report_id"].combine_chunks()
        moved = reports.test & self.sides.was_train(seqs)
        self.moved_to_test += ids.filter(pa.array(moved)).to_pylist()
        self.seqs.append(seqs)
        self.used.append(ids)

    def remember(self, cursor: db.Cursor) -> None:
        """Store them; a report that another build has made test data meanwhile stays test data."""
        if not self.seqs:
            return
        seqs = np.concatenate(self.seqs)
        test = self.sides.test(seqs)
        fresh = pa.array(test & self.sides.was_train(seqs) | ~self.sides.is_remembered(seqs))
        ids = pa.chunked_array(self.used).filter(fresh)
        side = pc.if_else(pa.array(test), Split.TEST.value, Split.TRAIN.value).filter(fresh)
        with db.registered(cursor, "fresh_sides", pa.table({"report_id": ids, "split": side})):
            cursor.execute(
                "INSERT INTO dataset_splits SELECT report_id, split FROM fresh_sides"
                " ON CONFLICT DO UPDATE SET split = excluded.split WHERE excluded.split = 'test'"
            )


def _line(cursor: db.Cursor, request: ExportRequest) -> _Line:
    known = db.rows(
        cursor,
        "SELECT version, created_at, profile, format, layout, folder, manifest FROM datasets WHERE name = ?"
        " ORDER BY created_at, version",
        [request.dataset],
    )
    if known and known[-1]["profile"] != request.profile:
        # Its versions follow one another: plans, differences and withdrawals take them for one thing.
        raise Conflict(
            "name",
            f"{request.dataset} is a dataset of the profile {known[-1]['profile']}: choose another name for"
            f" {request.profile}",
        )
    by_version = {row["version"]: row for row in known}
    record = by_version.get(request.version)
    if record is not None:
        told = json.loads(record["manifest"])
        return _Line(
            request.version, datetime.fromisoformat(told["created_at"]), by_version.get(told["parent"])
        )
    version = request.version or next(
        name
        for name in map(str, itertools.count(1))
        if name not in by_version and not (request.out / request.dataset / name).exists()
    )
    return _Line(version, None, known[-1] if known else None)


def _require_allowed(
    cursor: db.Cursor, profile: Profile, fresh: _FreshSides, now: datetime, read_at: int
) -> None:
    """Raise Conflict when a report that was taken may not go out by now: a build may last, and consent may end.

    `read_at` is the last event that the build saw. What came in since bars no earlier report, so that after it alone
    nothing is asked, and whoever writes does not wait.
    """
    since = "SELECT count(*) FROM events WHERE seq > ? AND kind <> 'report.received'"
    if not db.value(cursor, since, [read_at]):
        return
    gone = forbidden(cursor, profile, np.concatenate([np.empty(0, np.int64), *fresh.seqs]), now)
    if len(gone):
        some = ", ".join(source.ids(cursor, gone[:3]).to_pylist())
        raise Conflict(
            "rows", f"{len(gone):,} of its reports ({some}) had to leave while it was built: build it again"
        )


def _no_rows(tally: Tally, considered: int) -> Refused:
    """Why there would be no row, the most frequent reason first."""
    if not considered:
        return Refused("rows", "there is no report among those that were asked for")
    reasons = "; ".join(
        f"{count:,} because {MEANING[name]}" for name, count in (+tally.excluded).most_common()
    )
    return Refused("rows", f"none of {considered:,} reports becomes one: {reasons}")


def _record(work: Work, request: ExportRequest, account: dict[str, Any], folder: Path) -> bool:
    """The row of the dataset and the event; building a known version again adds the event only, and gives False."""
    name, version = account["name"], account["version"]
    known = db.row(
        work.cursor, "SELECT manifest FROM datasets WHERE name = ? AND version = ?", [name, version]
    )
    if known is not None:
        before = json.loads(known["manifest"])
        same = all(before[part] == account[part] for part in ("profile", "content_sha256", "rows"))
        if not same:
            raise Conflict("version", f"{name} {version} stands for other rows: choose another version")
    else:
        row = {
            "name": name,
            "version": version,
            "created_at": work.now,
            "actor_id": work.actor.actor_id,
            "profile": request.profile,
            "layout": request.layout,
            "format": request.format,
            "folder": str(folder),
            "manifest": json.dumps(account, sort_keys=True),
        }
        db.insert(work.cursor, "datasets", [row])
    parts = ("profile", "layout", "format", "content_sha256", "rows", "excluded")
    data = {part: account[part] for part in parts} | {"moved_to_test": account["split"]["moved_to_test"]}
    work.event("dataset.built", f"{name}/{version}", data | {"again": known is not None})
    return known is None


@contextmanager
def _scratch(store: Path, folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder`, on the same file system; gone at the end unless it was moved in place, and with
    it the folder of a dataset that has no version.

    With those goes what an earlier process, which was killed, has left there. One process holds a store, so that what
    is of this store and of another process is nobody's any more.
    """
    ours = sha256(f"{store.resolve()} {store.stat().st_ino}".encode()).hexdigest()[:8]
    for left in folder.parent.glob(f".*.{ours}-*.partial"):
        if f".{ours}-{_PROCESS}." not in left.name:
            shutil.rmtree(left, ignore_errors=True)
    scratch = folder.with_name(f".{folder.name}.{ours}-{_PROCESS}.{os.urandom(8).hex()}.partial")
    scratch.mkdir(parents=True)
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        with suppress(OSError):  # there are other versions
            folder.parent.rmdir()


@contextmanager
def _in_place(scratch: Path, folder: Path) -> Iterator[None]:
    """The finished folder under its own name; taken back when recording it fails."""
    try:
        scratch.rename(folder)
    except OSError as error:
        raise Conflict("version", f"{folder} cannot be made: {error.strerror}") from error
    try:
        yield
    except BaseException:
        folder.rename(scratch)
        raise


def _write(path: Path, content: str) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _silent(done: int, total: int) -> None:
    """Progress that nobody watches."""
