"""What every test may rely on: an offline machine, one thread a worker, and the real data by name."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path

# Read by torch, tokenizers and huggingface_hub when they are first imported, hence before anything else.
os.environ.update(
    {
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    }
)

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.browser"]

REPOSITORY = Path(__file__).resolve().parents[1]
REAL_DATA = REPOSITORY.parent / "shared" / "data"
APART = 12  # files between two with browser tests: so many that the last of them begins long before the end
LOOPBACK = ("127.", "::1", "localhost")

# Examples are drawn alike on every run, so that a failure is a finding and not the weather; how long one
# takes depends on who else uses the machine, so neither deadline nor slowness fails a test.
settings.register_profile(
    "flawdesk",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("flawdesk")


def _refuse_other_machines(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""
        if host and not str(host).startswith(LOOPBACK):
            raise RuntimeError(f"a test tried to reach {host}; tests never leave this machine")


sys.addaudithook(_refuse_other_machines)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the working tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real public data; use it in tests marked `real_data`."""
    return REAL_DATA


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from tests.browser import CHROMIUM  # not earlier: pytest rewrites the asserts of its plugins first

    without_data = pytest.mark.skip(reason="needs the real public data in ../shared/data, which is not here")
    without_browser = pytest.mark.skip(reason="NOT RUN: no Chromium on this machine")
    for item in items:
        if item.get_closest_marker("real_data") and not REAL_DATA.is_dir():
            item.add_marker(without_data)
        if item.get_closest_marker("browser") and CHROMIUM is None:
            item.add_marker(without_browser)
    items[:] = _spread(items)


def _spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """File by file, those with browser tests one at a time among the others: they wait for more than half of their
    time, and workers that run them side by side leave the cores idle."""
    files = [list(found) for _, found in itertools.groupby(items, lambda item: item.path)]
    waiting = [file for file in files if file[0].get_closest_marker("browser")]
    others = [file for file in files if not file[0].get_closest_marker("browser")]
    order: list[pytest.Item] = []
    for start in range(0, max(len(others), len(waiting) * APART), APART):
        order += itertools.chain(*waiting[start // APART :][:1], *others[start : start + APART])
    return order


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in red when the browser tests did not run, so that nobody takes a green line for them."""
    missed = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "no Chromium" in str(report.longrepr)
    ]
    if missed:
        terminalreporter.section("BROWSER TESTS DID NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.write_line(
            f"{len(missed)} tests need Chromium: install the system's package (apt-get install chromium) "
            "and run `make test` again.",
            red=True,
        )
