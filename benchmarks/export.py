"""Export of a million reports as kto Parquet: speed beside DuckDB's own COPY, memory, and the dashboard meanwhile.

    python -m benchmarks.export             1,000,000 reports
    python -m benchmarks.export --small     20,000
    python -m benchmarks.export --keep DIR  on a copy of the store in DIR, where the first run leaves it

The desk is that of benchmarks/synthetic_desk.py with decisions and consent added, so that most reports are rows. DuckDB
copies the same reports twice, without any of the gates: the trainer's columns alone, and all columns that the export
writes, the metadata with the SHA-256 of each row and its group. Export and COPY take turns, since what they find in the
system's cache decides their speed. The dashboard is the Inbox, run in process by Streamlit's AppTest over and over,
idle and then during exports.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
from streamlit.testing.v1 import AppTest

from benchmarks import harness, synthetic_desk
from triage_core import runtime
from triage_core.exporters.build import ExportRequest, build
from triage_core.guidance import policy
from triage_core.runtime import Runtime
from triage_core.settings import ROOT, Settings

Result = TypeVar("Result")

LOOKS = 30
ROUNDS = 5
ROWS = (
    "[{'content': turns[2].content, 'role': 'assistant'}] AS completion,"
    " coalesce(c.resolution = 'expected_behaviour', false) AS label,"
    " [{'content': turns[1].content, 'role': 'user'}] AS prompt"
)
METADATA = (
    "'kto-' || report_id AS meta_example_id,"
    " sha256(to_json({'completion': completion, 'label': label, 'prompt': prompt})::VARCHAR) AS meta_row_sha256,"
    " report_id AS meta_report_id, coalesce(reporter_id, '') AS meta_reporter_id,"
    " coalesce(external_id, '') AS meta_external_id,"
    " strftime(r.received_at, '%Y-%m-%d %H:%M:%S UTC') AS meta_received_at, content_sha256 AS meta_content_sha256,"
    " oldest AS meta_group, size::VARCHAR AS meta_group_size, coalesce(technique, '') AS meta_technique,"
    " if(label, 'expected', 'flaw') AS meta_verdict, if(label, 'expected:1', 'flaw:1') AS meta_votes,"
    " '1.00' AS meta_consensus, coalesce(c.resolution, '') AS meta_resolution,"
    " array_to_string(a.clauses, ',') AS meta_clauses, coalesce(c.severity, '') AS meta_severity,"
    " a.policy_version AS meta_policy_version, array_to_string(r.harm_types, ',') AS meta_harm_types,"
    " r.platform AS meta_platform, model AS meta_model, r.model_version AS meta_model_version,"
    " c.consent_training AS meta_consent_training, '' AS meta_control_tokens, '' AS meta_hidden_characters,"
    " '' AS meta_redactions, '' AS meta_answer_by"
)
BESIDE = (  # written as DuckDB is quickest with it: windows for the groups take a second and a half more of a million
    " LEFT JOIN assessments a USING (assessment_id)"
    " LEFT JOIN (SELECT report_id, max(cluster_id) FILTER (axis = 'whole') AS whole,"
    " max(cluster_id) FILTER (axis = 'technique') AS technique FROM memberships GROUP BY report_id) USING (report_id)"
    " LEFT JOIN (SELECT cluster_id AS whole, arg_min(report_id, seq) AS oldest, count(*) AS size"
    " FROM memberships JOIN reports USING (report_id) WHERE axis = 'whole' GROUP BY cluster_id) USING (whole)"
)
REPORTS = (
    " FROM reports r JOIN cases c USING (report_id){beside}"
    " WHERE c.resolution IS NULL OR c.resolution = 'expected_behaviour' ORDER BY r.seq"
)
COPIES = {
    "rows": f"SELECT {ROWS}{REPORTS.format(beside='')}",
    "rows and metadata": f"SELECT {ROWS}, {METADATA}{REPORTS.format(beside=BESIDE)}",
}


def decide(opened: Runtime) -> None:
    """Give every report consent and a decision in force; nothing that a person would do in a benchmark."""
    with opened.store.write(synthetic_desk.FILLER, "test") as work:
        work.cursor.execute(
            "UPDATE cases SET consent_training = 'any_safety_training', assessment_id = seq,"
            " resolution = CASE WHEN seq % 4 = 0 THEN 'expected_behaviour' END"
        )
        work.cursor.execute(
            "INSERT INTO assessments BY NAME SELECT seq AS assessment_id, report_id, received_at AS done_at,"
            " 'benchmark' AS actor_id, '' AS policy_version,"
            " [CASE WHEN resolution IS NULL THEN 'IN-1' ELSE 'EXP-1' END] AS clauses, severity,"
            " '' AS override_reason, '' AS note, '' AS reproduction_log FROM cases"
        )


def copy(store: Path, selected: str, target: Path) -> tuple[float, float]:
    """Seconds of the clock and of CPU that DuckDB needs to copy what is selected; the store is closed."""
    with duckdb.connect(str(store / "flawdesk.duckdb"), read_only=True) as connection:
        return timed(
            lambda: connection.execute(f"COPY ({selected}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        )[1:]


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """What the work gives, and its seconds of the clock and of CPU."""
    started, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - started, time.process_time() - cpu


def memory_of_a_server(opened: Runtime) -> float:
    """GiB that this process holds when the database has read the vectors, as the worker of a server lets it at its
    start; on Linux the peak is counted from here on."""
    with opened.store.read() as cursor:
        cursor.execute("SELECT count(vector[1]) FROM embeddings").fetchall()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return harness.peak_memory_gib()


def look() -> float:
    """Seconds that the Inbox takes to be drawn once."""
    started = time.perf_counter()
    screen = AppTest.from_file(str(ROOT / "dashboard.py"), default_timeout=120).run()
    assert not screen.exception
    return time.perf_counter() - started


def meanwhile(export: Callable[[], object]) -> list[float]:
    """Seconds of each look while exports run, one after another until there were `LOOKS` looks."""
    seen_enough = threading.Event()

    def again() -> None:
        while not seen_enough.is_set():
            export()

    seconds: list[float] = []
    exporting = threading.Thread(target=again)
    exporting.start()
    while exporting.is_alive():
        seconds.append(look())
        if len(seconds) >= LOOKS:
            seen_enough.set()
    exporting.join()
    return seconds


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20)[-1]


def main() -> None:
    options = harness.arguments(__doc__, keeps=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count, dim = (20_000, 32) if options.small else (1_000_000, 128)
        kept = (options.keep or folder) / f"desk-{count}"
        if not kept.is_dir():
            made = Runtime(Settings(store=folder / "made"))
            synthetic_desk.fill(made.store, count, dim)
            decide(made)
            made.close()
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(folder / "made", kept)
        shutil.copytree(kept, folder / "store")
        measure(folder, count)


def export(store: Path, out: Path) -> tuple[dict[str, Any], float, float]:
    """The manifest of one build in a store that is opened for it, and its seconds of the clock and of CPU."""
    opened = Runtime(Settings(store=store))
    try:
        return timed(
            lambda: build(opened.store, policy.load(ROOT / "data"), synthetic_desk.FILLER, wanted(out))
        )
    finally:
        opened.close()


def wanted(out: Path) -> ExportRequest:
    return ExportRequest("kto", out, per_group=0)  # the most rows


def measure(folder: Path, count: int) -> None:
    """Take and print the figures for the store in the folder, with so many reports."""
    opened = Runtime(Settings(store=folder / "store"))
    runtime.use(opened)
    rules = policy.load(ROOT / "data")
    look()
    idle = [look() for _ in range(LOOKS)]
    before = memory_of_a_server(opened)

    def again() -> dict[str, Any]:
        return build(opened.store, rules, synthetic_desk.FILLER, wanted(folder / "out"))

    rows = again()["rows"]["total"]
    busy = meanwhile(again)  # compared with the version before, too
    memory = harness.peak_memory_gib() - before
    runtime.use(None)
    opened.close()
    rounds = []
    for _ in harness.progress(range(ROUNDS), "export and COPY in turns"):
        _, *alone = export(folder / "store", folder / "out")
        copied = [copy(folder / "store", one, folder / "copy.parquet") for one in COPIES.values()]
        rounds.append([*copied, alone])
    # (rounds, what, clock or CPU)
    seconds = np.array(rounds)
    shares = np.median(seconds[:, :-1] / seconds[:, -1:], axis=0)
    clock, cpu = np.median(seconds, axis=0).T
    figures = {
        "rows": rows,
        "rows_per_second": rows / clock[-1],
        "memory_gib": memory,
        "cpu_microseconds_a_row": cpu[-1] / rows * 1e6,
        "looks_during": len(busy),
        "dashboard_slower": p95(busy) / p95(idle),
    }
    for what, (by_clock, by_cpu) in zip(COPIES, shares.tolist(), strict=True):
        name = f"share_of_copy_of_{what.replace(' ', '_')}"
        figures |= {name: by_clock, f"{name}_by_cpu": by_cpu}
    labels = [*(f"DuckDB's COPY of {what}, no gates" for what in COPIES), "export of rows and metadata"]
    harness.table(
        f"kto Parquet of {count:,} reports, medians of {ROUNDS} rounds",
        ("what", "seconds", "seconds of CPU", "rows a second", "the export's share of it", "by CPU"),
        [
            (label, clock[at], cpu[at], rows / clock[at], *(shares[at] if at < len(shares) else (1.0, 1.0)))
            for at, label in enumerate(labels)
        ],
    )
    looks = [
        ("idle", statistics.median(idle), p95(idle)),
        ("during exports", statistics.median(busy), p95(busy)),
    ]
    harness.table("Inbox", ("when", "median, seconds", "p95, seconds"), looks)
    targets = {
        "share_of_copy_of_rows_and_metadata": (">=", 0.5),
        "memory_gib": ("<=", 1.0),
        "dashboard_slower": ("<=", 2.0),
    }
    harness.finish("export", figures, targets)


if __name__ == "__main__":
    main()
