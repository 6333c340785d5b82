"""How the command line shows things: a bar on stderr, tables and JSON on stdout."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from triage_core.text import reveal

err = Console(stderr=True)
out = Console()
SHOWN = 50


class Bar:
    """A progress bar on stderr that appears with the first report of progress, and anew for each thing that is done."""

    def __init__(self, enabled: bool) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._progress = Progress(*columns, console=err, disable=not enabled)
        self._task: Any = None
        self._what = ""

    def __enter__(self) -> Bar:
        return self

    def __call__(self, done: int, total: int, what: str) -> None:
        if what != self._what or self._task is None:
            if self._task is None:
                self._progress.start()
            else:
                self._progress.remove_task(self._task)  # it would keep the total of what was done before
            self._task = self._progress.add_task(Text(what).plain, total=total or None)
            self._what = what
        self._progress.update(self._task, completed=done, total=total or None)

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._progress.stop()


def print_json(result: Any) -> None:
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


def print_item(item: Any, to: TextIO | None = None) -> None:
    """One of many things, as JSON on one line."""
    (to or sys.stdout).write(json.dumps(item) + "\n")


def print_note(text: str) -> None:
    """Something that whoever reads the result should know, on stderr."""
    err.print(Text(reveal(text), style="yellow"), soft_wrap=True)


def print_pairs(result: Any) -> None:
    table = Table(show_header=False, box=None)
    for name, value in result.items():
        shown = json.dumps(value) if value and isinstance(value, dict | list) else _pair(value)
        table.add_row(name.replace("_", " "), Text(reveal(shown)))
    out.print(table)


def _pair(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None or value in ([], {}) else str(value)


def print_rows(rows: Iterable[dict[str, Any]]) -> None:
    rows = list(rows)
    if not rows:
        out.print("nothing found")
        return
    table = Table()
    for title in rows[0]:
        table.add_column(title, overflow="fold")  # a pipe has 80 columns: what does not fit is not cut off
    for row in rows:
        table.add_row(*(Text(reveal(_shown(value))) for value in row.values()))
    out.print(table)


def _shown(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(_shown, value))
    if value is None or isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:.4f}" if isinstance(value, float) else str(value)


def print_refused(refused: TextIO) -> None:
    """The first of the lines that an import refused before it broke off, on stderr."""
    for line in islice(refused, SHOWN):
        told = json.loads(line)
        print_note(f"{told['file']}, line {told['line']}: {told['reason']}")


def print_imported(result: Mapping[str, Any], refused: TextIO, as_json: bool) -> None:
    """The counts of an import and what it refused, of a file with an object a line: the first as a table, or all."""
    counts = {name: count for name, count in result.items() if name != "refused"}
    if as_json:
        sys.stdout.write("{\n" + "".join(f'  "{name}": {count},\n' for name, count in counts.items()))
        sys.stdout.write('  "refused": [')
        for number, line in enumerate(refused):
            sys.stdout.write(("," if number else "") + "\n    " + line.rstrip())
        sys.stdout.write("\n  ]\n}\n" if result["refused"] else "]\n}\n")
        return
    print_pairs(counts)
    if number := result["refused"]:
        print_rows(json.loads(line) for line in islice(refused, SHOWN))
        lines = "line" if number == 1 else "lines"
        out.print(f"{number:,} {lines} refused" + (f", the first {SHOWN} shown" if number > SHOWN else ""))
