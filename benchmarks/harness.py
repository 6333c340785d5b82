"""What every benchmark shares: arguments, progress, tables, peak memory, fair timing and the last line.

    def main() -> None:
        options = arguments(__doc__)
        rows = 1_000 if options.small else 100_000
        ...
        table("Clusters of 100,000 vectors", ("method", "seconds", "F1"), measured)
        finish("likeness_clusters", {"f1": f1, "ratio": ratio}, {"f1": (">=", 0.999), "ratio": ("<=", 0.45)})

Progress (stderr) and tables (stdout) are for people; the last line of stdout is one JSON object for machines.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import operator
import os
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track
from rich.table import Table

Item = TypeVar("Item")
Target = tuple[str, float]
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
}
PEOPLE = Console(stderr=True)


@dataclass(frozen=True, slots=True)
class Machine:
    """Where the figures were taken; `memory_gib` is what the machine has, not what is free."""

    cpu: str
    cores: int
    memory_gib: float
    system: str
    python: str


def machine() -> Machine:
    """The machine that this process runs on; `cores` are those that it may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return Machine(_cpu(), cores, round(memory, 1), platform.system(), platform.python_version())


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def arguments(description: str | None, keeps: bool = False) -> argparse.Namespace:
    """The parsed command line: `small` asks for a run of seconds on little data.

    Of a benchmark that `keeps` its data, `keep` is the folder to leave it in, or None.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--small", action="store_true", help="little data, to see that it works; figures mean little"
    )
    if keeps:
        parser.add_argument("--keep", type=Path, help="a folder for the data, which a later run goes on with")
    return parser.parse_args()


def progress(steps: Iterable[Item], doing: str, total: int | None = None) -> Iterable[Item]:
    """`steps` unchanged, with a bar on stderr."""
    return track(steps, doing, total=total, console=PEOPLE)


def say(text: str) -> None:
    """One line about what happens now, on stderr."""
    PEOPLE.print(text, markup=False, highlight=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on stdout; numbers are aligned to the right, floats shown with four significant digits."""
    drawn = Table(title=title, title_justify="left")
    listed = [list(row) for row in rows]
    for position, column in enumerate(columns):
        numeric = all(isinstance(row[position], int | float) for row in listed)
        drawn.add_column(column, justify="right" if numeric else "left")
    for row in listed:
        drawn.add_row(*(_shown(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 160).print(drawn, markup=False)


def _shown(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if abs(cell) >= 10_000 else f"{cell:.4g}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def peak_memory_gib() -> float:
    """The most memory this process has held so far, in GiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of each run of one contestant, in order."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    def quantile(self, share: float) -> float:
        """The least time that at least `share` (0 to 1) of the runs did not exceed."""
        ordered = sorted(self.seconds)
        return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def compete(contestants: Mapping[str, Callable[[], object]], rounds: int = 5) -> dict[str, Timing]:
    """The time of each contestant, run in turns so that a slow minute of the machine hits all alike.

    Each is run once beforehand without being counted; the order turns round from round to round.
    """
    for run in contestants.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in progress(range(rounds), "rounds"):
        for name in list(contestants)[:: -1 if number % 2 else 1]:
            gc.collect()
            start = time.perf_counter()
            contestants[name]()
            seconds[name].append(time.perf_counter() - start)
    return {name: Timing(tuple(taken)) for name, taken in seconds.items()}


def ratio(timings: Mapping[str, Timing], ours: str, peer: str) -> float:
    """How long `ours` takes for each second of `peer`: the median over rounds of the ratio within a round."""
    pairs = zip(timings[ours].seconds, timings[peer].seconds, strict=True)
    return statistics.median(mine / theirs for mine, theirs in pairs)


def falls_short(figures: Mapping[str, float], targets: Mapping[str, Target]) -> list[str]:
    """The targets that the figures miss, in words; a figure that was not taken misses its target."""
    missed = []
    for name, (comparison, limit) in targets.items():
        figure = figures.get(name)
        if figure is None:
            missed.append(f"{name}: not measured, wanted {comparison} {limit:g}")
        elif not COMPARISONS[comparison](figure, limit):
            missed.append(f"{name}: {figure:.4g}, wanted {comparison} {limit:g}")
    return missed


def finish(name: str, figures: Mapping[str, float], targets: Mapping[str, Target]) -> None:
    """Print what falls short, then the last line: {name, machine, figures, falls_short} as JSON."""
    missed = falls_short(figures, targets)
    for miss in missed:
        say(f"falls short: {miss}")
    taken = {figure: float(value) if math.isfinite(value) else None for figure, value in figures.items()}
    last = {"name": name, "machine": asdict(machine()), "figures": taken, "falls_short": missed}
    print(json.dumps(last), flush=True)
