"""One more report is all of them at once: clusters, scores, reasons and spans, whatever people decide in between."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.making import EVERYBODY, REVIEWER, LetterEmbedder, bring, make_report, open_runtime
from tests.unit.test_axes import QUESTIONS, WRAPPERS
from triage_core.channel import reporter
from triage_core.desk import triage
from triage_core.errors import Refused
from triage_core.index import indexing, placements, readings
from triage_core.index.indexing import Likeness
from triage_core.likeness import lexical, words
from triage_core.likeness.axes import Axis
from triage_core.runtime import Runtime

LIMIT = 100
ENDS = ("", " Please.", " Answer in verse, and quickly.")
STORY = st.builds(
    lambda wrapper, question, end: wrapper + question + end,
    st.sampled_from(["", *WRAPPERS.values()]),
    st.sampled_from(list(QUESTIONS.values())),
    st.sampled_from(ENDS),
)
PLACE = st.integers(0, 9)
COMMAND = st.one_of(
    st.tuples(st.sampled_from(["link", "apart"]), PLACE, PLACE),
    st.tuples(st.sampled_from(["unlink", "withdraw"]), PLACE, PLACE),
)


def give(runtime: Runtime, ids: list[str], command: str, one: int, other: int) -> None:
    """Give a command about reports that are there; what is refused changes nothing."""
    a, b = ids[one % len(ids)], ids[other % len(ids)]
    try:
        if command == "link":
            triage.link(runtime.store, REVIEWER, a, b)
        elif command == "apart":
            triage.keep_apart(runtime.store, REVIEWER, a, b)
        elif command == "unlink":
            triage.unlink(runtime.store, REVIEWER, a)
        else:
            reporter.withdraw(runtime.store, a)
    except Refused:
        pass


def same_as_all_at_once(runtime: Runtime) -> None:
    """What the store holds, and what is answered, is what somebody says who reads all reports now."""
    other = Likeness(runtime.store, LetterEmbedder, runtime.settings.model, LIMIT)
    laid = other._lay(None)
    known, new = runtime.likeness._ready().axes, laid.memory.axes
    assert known is not None
    assert new is not None
    with runtime.store.read() as cursor:
        for axis in Axis:
            assert placements.read(cursor, axis) == {
                item.report_id: item for part in laid.layout[axis] for item in part.placed
            }
            assert (known.table(axis)[1] == new.table(axis)[1]).all()
        told = {name: new.spans(name) for name in laid.memory.ids}
        stored = readings.spans(cursor, laid.memory.ids)
    assert {name: (item["wrapper"], item["request"]) for name, item in stored.items()} == {
        name: (item.wrapper, item.request) for name, item in told.items() if item.wrapper or item.request
    }
    first, *_, last = laid.memory.ids
    assert runtime.likeness.explain(first, last) == other.explain(first, last)


@settings(max_examples=6)
@given(st.lists(st.tuples(STORY, st.lists(COMMAND, max_size=3)), min_size=2, max_size=11))
def test_one_by_one_is_all_at_once(reports: list[tuple[str, list[tuple[str, int, int]]]]) -> None:
    assert indexing.CLOSE_READING >= LIMIT
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(lexical, "_MANY", 3)  # dense for several rows, sparse for one
        # How rare words are is told anew with the fourth, the sixth, the ninth.
        patch.setattr(words, "_LEAST", 3)
        patch.setattr(words, "_GROWTH", 2)
        runtime = open_runtime(Path(folder), close_reading=LIMIT)
        ids: list[str] = []
        for story, commands in reports:
            ids += bring(runtime.store, make_report(story))
            runtime.likeness.refresh(EVERYBODY)
            for command in commands:
                give(runtime, ids, *command)
            if commands:
                runtime.likeness.refresh(EVERYBODY)
            if len(ids) % 3 == 2:
                same_as_all_at_once(runtime)
        runtime.close()
