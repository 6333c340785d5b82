"""The tasks of an archive as Ray Data tasks, on this machine or on the cluster that RAY_ADDRESS names.

Ray is optional (requirements-ray.txt). Nothing about the result depends on it.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from triage_core.archives.archive import Engine, Task
from triage_core.archives.archive_tasks import Result
from triage_core.errors import FlawdeskError, Refused


class _Worker:
    """Holds the task in one process of the cluster and runs it on the items whose numbers come."""

    def __init__(self, make: Callable[[], Task], items: Sequence[Any]) -> None:
        self._make, self._items = make, items
        self._task: Task | None = None

    def __call__(self, row: Result) -> Result:
        # As text, and errors of ours too: what Ray makes of an exception tells people little.
        try:
            self._task = self._task or self._make()
            found: Any = ["done", self._task(self._items[row["id"]])]
        except Refused as error:
            found = ["refused", error.field, error.rule]
        except FlawdeskError as error:
            found = ["failed", str(error)]
        return {"number": row["id"], "found": json.dumps(found)}


def engine(workers: int | None = None) -> Engine:
    """An engine of so many processes, which Ray spreads over the cluster; by default one a machine.

    Each uses all cores of its machine. Starts Ray unless it runs. Raises Refused when it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    try:
        import ray.data
    except ImportError as missing:
        raise Refused("engine", f"{missing}; run: pip install -r requirements-ray.txt") from missing
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    nodes: Any = ray.nodes
    return partial(_run, workers or sum(node["Alive"] for node in nodes()))


def _run(workers: int, make: Callable[[], Task], items: Sequence[Any]) -> Iterator[tuple[int, Result]]:
    import ray.data

    numbers: Any = ray.data.range(len(items), override_num_blocks=len(items))
    rows = numbers.map(
        _Worker,
        fn_constructor_args=(make, items),
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(items))),
    )
    for row in rows.iter_rows():
        match json.loads(row["found"]):
            case ["done", result]:
                yield int(row["number"]), result
            case ["refused", field, rule]:
                raise Refused(field, rule)
            case [_, message]:
                raise FlawdeskError(message)
