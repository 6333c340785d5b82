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

from triage_core.archive import Engine, Task
from triage_core.archive_tasks import Result
from triage_core.errors import FlawdeskError, Refused


class _Worker:
    """Holds the task in one process of the cluster and runs it on the items whose numbers come."""

    def __init__(self, make: Callable[[], Task], items: Sequence[Any]) -> None:
        self._task, self._items = make(), items

    def __call__(self, row: Result) -> Result:
        number = int(row["id"])
        return {"number": number, "result": json.dumps(self._task(self._items[number]))}


def engine(workers: int | None = None) -> Engine:
    """An engine of so many processes, spread over the cluster; by default one for each machine.

    Each uses all cores of its machine. Starts Ray unless it runs. Raises Refused when it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    try:
        import ray
    except ImportError as missing:
        raise Refused("engine", f"{missing}; run: pip install -r requirements-ray.txt") from missing
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False, logging_level=logging.WARNING)
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
        scheduling_strategy="SPREAD",
    )
    try:
        for row in rows.iter_rows():
            yield row["number"], json.loads(row["result"])
    except Exception as error:  # Ray wraps whatever a task raised
        reason: BaseException | None = error
        while reason is not None and not isinstance(reason, FlawdeskError):
            reason = reason.__cause__
        if reason is None:
            raise
        raise reason from error
