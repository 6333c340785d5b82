"""Export of a million reports as kto Parquet: speed beside DuckDB's own COPY, memory, and the dashboard meanwhile.

    python -m benchmarks.export             1,000,000 reports
    python -m benchmarks.export --small     20,000
    python -m benchmarks.export --keep DIR  on a copy of the store in DIR, where the first run leaves it

The desk is that of benchmarks/synthetic_desk.py with decisions and consent added, so that most reports are rows. DuckDB
copies the same columns of the same reports without any of the gates. The dashboard is the Inbox, run in process by
Streamlit's AppTest over and over, idle and then during exports.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import duckdb
from streamlit.testing.v1 import AppTest

from benchmarks import harness, synthetic_desk
from triage_core import runtime
from triage_core.exporters.build import ExportRequest, build
from triage_core.guidance import policy
from triage_core.runtime import Runtime
from triage_core.settings import ROOT, Settings

Result = TypeVar("Result")

LOOKS = 30
MEMBERS = (
    "SELECT [{'role': 'user', 'content': turns[1].content}] AS prompt,"
    " [{'role': 'assistant', 'content': turns[2].content}] AS completion, c.resolution = 'expected_behaviour' AS label"
    " FROM reports JOIN cases c USING (report_id)"
    " WHERE c.resolution IS NULL OR c.resolution = 'expected_behaviour' ORDER BY reports.seq"
)


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


def copy(store: Path, target: Path) -> tuple[float, float]:
    """Seconds of the clock and of CPU that DuckDB needs to copy the columns; the store is closed."""
    with duckdb.connect(str(store / "flawdesk.duckdb"), read_only=True) as connection:
        return timed(
            lambda: connection.execute(f"COPY ({MEMBERS}) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
        )[1:]


def timed(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """What the work gives, and its seconds of the clock and of CPU."""
    started, cpu = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - started, time.process_time() - cpu


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


def measure(folder: Path, count: int) -> None:
    """Take and print the figures for the store in the folder, with so many reports."""
    copied, copied_cpu = copy(folder / "store", folder / "copy.parquet")
    opened = Runtime(Settings(store=folder / "store"))
    runtime.use(opened)
    rules = policy.load(ROOT / "data")
    look()
    idle = [look() for _ in range(LOOKS)]
    before = harness.peak_memory_gib()
    request = ExportRequest("kto", folder / "out", per_group=0)  # the most rows
    made, alone, cpu = timed(lambda: build(opened.store, rules, synthetic_desk.FILLER, request))
    # The later ones are compared with the version before, too.
    busy = meanwhile(lambda: build(opened.store, rules, synthetic_desk.FILLER, request))
    memory = harness.peak_memory_gib() - before
    runtime.use(None)
    opened.close()
    rows = made["rows"]["total"]
    figures = {
        "rows": rows,
        "rows_per_second": rows / alone,
        "share_of_copy": (rows / alone) / (rows / copied),
        "memory_gib": memory,
        "share_of_copy_by_cpu": copied_cpu / cpu,
        "cpu_microseconds_a_row": cpu / rows * 1e6,
        "looks_during": len(busy),
        "dashboard_slower": p95(busy) / p95(idle),
    }
    harness.table(
        f"kto Parquet of {count:,} reports",
        ("what", "seconds", "seconds of CPU", "rows a second"),
        [
            ("DuckDB's COPY, no gates", copied, copied_cpu, rows / copied),
            ("export", alone, cpu, rows / alone),
        ],
    )
    looks = [
        ("idle", statistics.median(idle), p95(idle)),
        ("during exports", statistics.median(busy), p95(busy)),
    ]
    harness.table("Inbox", ("when", "median, seconds", "p95, seconds"), looks)
    targets = {"share_of_copy": (">=", 0.5), "memory_gib": ("<=", 1.0), "dashboard_slower": ("<=", 2.0)}
    harness.finish("export", figures, targets)


if __name__ == "__main__":
    main()
