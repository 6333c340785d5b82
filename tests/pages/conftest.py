"""The screens in process: a store of its own, a small embedder, and a person in front of the dashboard."""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.pages_manager import PagesManager
from streamlit.testing.v1 import AppTest, app_test

from tests.making import lay_store
from triage_core import queries, runtime
from triage_core.channel import intake, reportformat
from triage_core.desk import triage
from triage_core.desk.decision import Decision
from triage_core.errors import Refused
from triage_core.model import Actor, DeskRole
from triage_core.runtime import Runtime
from triage_core.settings import Settings
from ui import paint

NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
EVERYTHING = Actor("test", "Test", frozenset(DeskRole))

# Each AppTest reads the metadata of all installed packages for components: a third of the time of these tests.
manifest_scanner.scan_component_manifests = functools.cache(manifest_scanner.scan_component_manifests)
paint.TEXT_S = paint.FIRST_CHART_S = 0  # no browser paints here


class _Pages(PagesManager):
    """AppTest resets here, and not where it is read, what app.py says once: the dashboard has its own navigation."""


PagesManager.uses_pages_directory = False
app_test.PagesManager = _Pages


class WordEmbedder:
    """Texts that share words are near: each word counts in one of 256 places."""

    model_id = "words"
    dim = 256

    def embed(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text):
                vectors[row, zlib.crc32(word.encode()) % self.dim] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    """The open product on an empty store; its clock stands still at NOW."""
    lay_store(tmp_path / "store")
    found = Runtime(Settings(store=tmp_path / "store"), clock=lambda: NOW, embedder=WordEmbedder)
    runtime.use(found)
    yield found
    runtime.use(None)
    found.close()
    st.cache_data.clear()


Receive = Callable[..., str]


@pytest.fixture
def receive(opened: Runtime) -> Receive:
    """`receive("what the user wrote", hours_ago=3, **fields)` stores a report and gives its id."""
    sent: list[int] = []

    def send(words: str, hours_ago: float = 0, **fields: Any) -> str:
        line = {
            "turns": [{"role": "user", "content": words}, {"role": "assistant", "content": "As you wish."}],
            "what_is_wrong": "It should not have said that.",
            "submitted_at": (NOW - timedelta(hours=hours_ago)).isoformat(),
            **fields,
        }
        sent.append(len(sent))
        item = intake.Incoming(reportformat.parse(line, imported=True), f"line:{len(sent)}")
        (receipt,) = intake.import_batch(opened.store, opened.policy, EVERYTHING, [item])
        assert not isinstance(receipt, Refused)
        return receipt.report_id

    return send


@pytest.fixture
def index(opened: Runtime) -> Callable[[], None]:
    """What the worker does: embed, cluster, suggest."""

    def refresh() -> None:
        opened.likeness.refresh(EVERYTHING)
        st.cache_data.clear()

    return refresh


@pytest.fixture
def case(opened: Runtime) -> Callable[[str], dict[str, Any]]:
    """`case("FR-1")` is the present state of a report."""

    def read(report_id: str) -> dict[str, Any]:
        with opened.store.read() as cursor:
            return queries.report(cursor, report_id).case

    return read


@pytest.fixture
def rendered() -> Callable[[AppTest], str]:
    """`rendered(screen)` is everything that a screen renders as Markdown, labels of buttons and options included."""
    kinds = ("title", "header", "subheader", "markdown", "caption", "info", "warning", "error", "toast")

    def collect(screen: AppTest) -> str:
        said = [str(element.value) for kind in kinds for element in screen.get(kind)]
        said += [button.label for button in screen.button]
        said += [words for radio in screen.radio for words in (*radio.options, *radio.proto.captions)]
        return "\n".join(said)

    return collect


def press(screen: AppTest, label: str) -> AppTest:
    (button,) = [button for button in screen.button if button.label == label]
    return button.click().run()


def column(screen: AppTest, name: str) -> list[Any]:
    """A column of the last table."""
    return list(screen.dataframe[-1].value[name])


def figures(screen: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in screen.metric}


def toasts(screen: AppTest) -> str:
    return " ".join(toast.value for toast in screen.toast)


def off_without_a_reason(screen: AppTest) -> list[str]:
    """Buttons and menus that cannot be pressed, and do not say why."""
    widgets = [(one.label, one.disabled, one.help) for one in screen.button]
    widgets += [(one.proto.label, one.proto.disabled, one.proto.help) for one in screen.get("menu_button")]
    return [label for label, disabled, help in widgets if disabled and not help]


Visit = Callable[..., AppTest]


@pytest.fixture
def visit(opened: Runtime, repository: Path) -> Visit:
    """`visit("review", report="FR-1")` opens a screen of the dashboard; keywords are the address.

    As a link does: where the role begins is not drawn before. The address holds what a widget shows, so that a role or
    a state is given by its label.
    """

    def go(screen: str, **parameters: str) -> AppTest:
        dashboard = AppTest.from_file(str(repository / "dashboard.py"), default_timeout=30)
        dashboard.switch_page(f"pages/{screen}.py")
        for name, value in parameters.items():
            dashboard.query_params[name] = value
        dashboard.run()
        assert not dashboard.exception
        return dashboard

    return go


@pytest.fixture
def three(receive, index) -> list[str]:
    """Three reports, the newest first; the first two say nearly the same."""
    ids = [
        receive("please sing a rude song about a clerk", hours_ago=1),
        receive("please sing a rude song about my clerk", hours_ago=2),
        receive("multiply these two numbers", hours_ago=3),
    ]
    index()
    return ids


@pytest.fixture
def advised(receive, index, opened) -> str:
    """A report like two that were closed as arithmetic."""
    for hours in (5, 6):
        done = receive(f"multiply the two large numbers {hours}", hours_ago=hours)
        triage.assess(opened.store, opened.policy, EVERYTHING, done, Decision(("OOS-1",)))
    new = receive("multiply the two large numbers 7", hours_ago=1)
    index()
    opened.advice.prepare(EVERYTHING, opened.policy)
    return new
