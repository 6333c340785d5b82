"""Beyond close reading: every axis answers for every report, near-copies are found, people's word holds."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.making import EVERYBODY, LetterEmbedder, bring, make_report, open_runtime
from tests.unit.test_axes import QUESTIONS, WRAPPERS
from triage_core import db
from triage_core.clusters import cluster_work
from triage_core.desk import boards, undo
from triage_core.index import close_reading, embedding, far_reading, learning, placements, readings
from triage_core.index.indexing import Likeness
from triage_core.index.memory import Decided
from triage_core.likeness import laying, spaces
from triage_core.likeness.axes import Axis
from triage_core.likeness.tools import Tools
from triage_core.runtime import Runtime

REPORTS = [wrapper + question for wrapper in WRAPPERS.values() for question in QUESTIONS.values()]
LIMIT = 8
NEAR = (
    WRAPPERS["chess"]
    .replace("in a table with two columns, and mark", "as one list with bullets, and underline")
    .replace("complains, Black gets another turn", "is silent, Black moves twice in a row")
)
NAMES = ["Ashby", "Barley", "Corby", "Dunmore", "Elm", "Fenny", "Gower", "Holt", "Islip", "Kelso", "Luton"]
STORY = (
    "On Monday {a} met {b} at the harbour, and {a} told {b} about the parcel. {b} laughed. Then {a} asked the "
    "assistant to play the customs officer, and {b} asked it to stamp every form without reading it. When {a} "
    "complained, {b} repeated the question, and the assistant stamped the forms for {a} and for {b} all the same."
)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    runtime = open_runtime(tmp_path, close_reading=LIMIT)
    yield runtime
    runtime.close()


def tell(runtime: Runtime, *stories: str) -> None:
    bring(runtime.store, *(make_report(story) for story in stories))
    runtime.likeness.refresh(EVERYBODY)


def clusters(runtime: Runtime, axis: Axis) -> dict[str, str]:
    with runtime.store.read() as cursor:
        return placements.read_clusters(cursor, axis)


def test_every_axis_answers_for_every_report_on_both_sides_of_the_limit(opened: Runtime) -> None:
    order = random.Random(0).sample(REPORTS, len(REPORTS))
    for start in range(0, len(order), 4):
        tell(opened, *order[start : start + 4])
        count = start + 4
        for axis in Axis:
            assert len(clusters(opened, axis)) == count
            found = dict(opened.likeness.all_similar(3, axis))
            assert [len(near) for near in found.values()] == [3] * count
    of = {f"FR-{at}": text for at, text in enumerate(order, 1)}
    for name, near in opened.likeness.all_similar(3, Axis.TECHNIQUE):
        assert all(of[item.report_id][:40] == of[name][:40] for item in near)


@pytest.mark.parametrize("axis", Axis)
def test_all_reports_at_once_are_answered_as_one_by_one(
    opened: Runtime, monkeypatch: pytest.MonkeyPatch, axis: Axis
) -> None:
    # Neighbourhoods so small that it shows in which spaces they were collected.
    monkeypatch.setattr(spaces, "NEIGHBOURHOOD", 2)
    tell(opened, *REPORTS)
    found = dict(opened.likeness.all_similar(2, axis))
    assert found == {name: opened.likeness.similar(name, 2, axis) for name in found}
    assert len(found) == len(REPORTS)


@pytest.mark.parametrize("few", [embedding.FEW, 0], ids=["few at once", "joined tables"])
def test_crossing_the_limit_one_by_one_is_crossing_it_at_once(
    opened: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    for story in REPORTS:
        tell(opened, story)
    monkeypatch.setattr(embedding, "FEW", few)
    other = open_runtime(tmp_path / "other", close_reading=LIMIT)
    tell(other, *REPORTS)
    again = Likeness(other.store, LetterEmbedder, other.settings.model, LIMIT)
    for axis in Axis:
        assert clusters(opened, axis) == clusters(other, axis)
        found = dict(opened.likeness.all_similar(5, axis))
        assert found == dict(other.likeness.all_similar(5, axis)) == dict(again.all_similar(5, axis))
    other.close()


def test_wrapper_and_request_are_stored(opened: Runtime) -> None:
    tell(opened, *REPORTS)
    with opened.store.read() as cursor:
        found = readings.spans(cursor, [f"FR-{at}" for at in range(1, len(REPORTS) + 1)])
    # The ninth is the first with its wrapper, came after those read with each other, and is short: left whole.
    assert set(found) == {f"FR-{at}" for at in range(1, len(REPORTS) + 1)} - {"FR-9"}
    for name, kinds in found.items():
        text = REPORTS[int(name[3:]) - 1]
        wrapped, asked = (" ".join(text[a:b] for a, b in kinds[kind]) for kind in ("wrapper", "request"))
        assert text[-20:] in asked
        assert text[:200] in wrapped


def test_a_copy_with_other_names_is_found_and_suggested(opened: Runtime) -> None:
    copies = [STORY.format(a=a, b=b) for a, b in (("Ada", "Ben"), ("Wilhelmina", "Constantine"))]
    vectors = LetterEmbedder().embed(copies)
    length = float(laying.whole_lengths(np.zeros(1, dtype=np.float32))[0])
    meaning = length**2 * float(vectors[0] @ vectors[1])
    assert meaning < far_reading.PARAMS[Axis.WHOLE].join  # what they mean does not join them
    tell(opened, copies[0], *REPORTS)
    tell(opened, copies[1])
    name = f"FR-{len(REPORTS) + 2}"
    assert opened.likeness.similar(name, 1)[0].report_id == "FR-1"
    with opened.store.read() as cursor:
        pairs = [(row["later_id"], row["earlier_id"]) for row in boards.suggested_pairs(cursor)]
    assert (name, "FR-1") in pairs


def test_a_text_and_a_pair_are_explained(opened: Runtime) -> None:
    tell(opened, *REPORTS)
    near = opened.likeness.similar_text(WRAPPERS["chess"] + "How long do eggs boil?", 3, Axis.TECHNIQUE)
    assert {REPORTS[int(item.report_id[3:]) - 1][:40] for item in near} == {WRAPPERS["chess"][:40]}
    same, asked = opened.likeness.explain("FR-10", "FR-11"), opened.likeness.explain("FR-10", "FR-6")
    assert same.technique > 0.9 > 0.5 > asked.technique
    assert asked.request > 0.9 > 0.5 > same.request
    assert same.shared_a


def test_near_copies_of_a_template_are_two_techniques_and_stay_so_after_a_restart(
    opened: Runtime, tmp_path: Path
) -> None:
    stories = [wrapper + question for question in QUESTIONS.values() for wrapper in (WRAPPERS["chess"], NEAR)]
    last = "Who invented the zip?"
    tell(opened, *REPORTS, *stories[:-2])
    found = clusters(opened, Axis.TECHNIQUE)
    copies = [f"FR-{len(REPORTS) + at}" for at in range(1, len(stories) - 1)]
    assert len({found[name] for name in copies[::2]} | {found["FR-5"]}) == 1
    assert len({found[name] for name in copies[1::2]}) == 1
    assert found[copies[0]] != found[copies[1]]
    with opened.store.read() as cursor:
        row = {name: at for at, name in enumerate(found)}
        assert placements.parts(cursor, row) == {row[copies[1]]: row["FR-5"]}
        sizes = db.rows(cursor, "SELECT cluster_id, size FROM clusters WHERE axis = 'technique'")
    assert {item["cluster_id"]: item["size"] for item in sizes} == dict(Counter(found.values()))
    other = open_runtime(tmp_path / "other", close_reading=LIMIT)
    tell(other, *REPORTS, *stories, NEAR + last)
    bring(opened.store, *(make_report(story) for story in (*stories[-2:], NEAR + last)))
    Likeness(opened.store, LetterEmbedder, opened.settings.model, LIMIT).refresh(EVERYBODY)
    assert clusters(opened, Axis.TECHNIQUE) == clusters(other, Axis.TECHNIQUE)
    other.close()


def test_a_part_that_goes_and_comes_back_leads_nowhere_any_more(opened: Runtime) -> None:
    tell(opened, *REPORTS, *(NEAR + question for question in QUESTIONS.values()))
    part = f"T-{len(REPORTS) + 1}"
    assert {"T-5", part} <= set(clusters(opened, Axis.TECHNIQUE).values())

    def led() -> list[str]:
        with opened.store.read() as cursor:
            return [row["old_id"] for row in db.rows(cursor, "SELECT old_id FROM cluster_aliases")]

    cluster_work.merge(opened.store, EVERYBODY, Axis.TECHNIQUE, "T-5", part)
    opened.likeness.refresh(EVERYBODY)
    assert part not in clusters(opened, Axis.TECHNIQUE).values()
    assert led() == [part]
    with opened.store.read() as cursor:
        event = undo.last_of(cursor, EVERYBODY)
    assert event
    undo.undo(opened.store, EVERYBODY, event.seq)
    opened.likeness.refresh(EVERYBODY)
    assert part in clusters(opened, Axis.TECHNIQUE).values()
    assert led() == []


def test_what_fails_on_the_way_is_laid_again_from_what_is_stored(
    opened: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(opened, *REPORTS, *(NEAR + question for question in QUESTIONS.values()))

    def full(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(Tools, "_tell", full)
        with pytest.raises(MemoryError):
            tell(opened, WRAPPERS["chess"] + "Who invented the zip?")
    tell(opened, WRAPPERS["chess"] + "Where do swallows spend the winter?")
    found = clusters(opened, Axis.TECHNIQUE)
    assert len(found) == len(REPORTS) + len(QUESTIONS) + 2
    assert {found[f"FR-{len(REPORTS) + len(QUESTIONS) + at}"] for at in (1, 2)} == {"T-5"}


def test_large_clusters_that_came_at_once_are_named(opened: Runtime) -> None:
    tell(opened, *(WRAPPERS["chess"] + f"How far is it from here to the town of {name}?" for name in NAMES))
    assert opened.likeness.name_clusters(EVERYBODY) > 0
    assert [label for size, label in called(opened, Axis.TECHNIQUE).values() if size > 8 and not label] == []
    assert max(size for size, _ in called(opened, Axis.TECHNIQUE).values()) > 8


def called(runtime: Runtime, axis: Axis) -> dict[str, tuple[int, str]]:
    with runtime.store.read() as cursor:
        found = db.rows(cursor, "SELECT cluster_id, size, label FROM clusters WHERE axis = ?", [axis])
    return {row["cluster_id"]: (row["size"], row["label"]) for row in found}


def test_clusters_are_called_by_what_their_members_share(opened: Runtime) -> None:
    tell(opened, *REPORTS)
    assert opened.likeness.name_clusters(EVERYBODY) > 0
    assert opened.likeness.name_clusters(EVERYBODY) == 0
    labels = called(opened, Axis.TECHNIQUE)
    wrappers = list(WRAPPERS.values())
    assert len(labels) == len(wrappers)
    for name, (size, label) in labels.items():
        text = REPORTS[int(name.split("-")[1]) - 1]
        assert size > 1
        assert label
        assert all(word in text.lower() for word in label.split())
        assert not any(label in other.lower() for other in wrappers if not text.startswith(other))


def test_a_name_lasts_and_is_found_for_what_has_none(opened: Runtime, tmp_path: Path) -> None:
    tell(opened, *REPORTS)
    opened.likeness.name_clusters(EVERYBODY)
    before = called(opened, Axis.TECHNIQUE)
    tell(opened, *(f"{wrapper}Why is the sea salty?" for wrapper in WRAPPERS.values()))
    assert {name: label for name, (_, label) in called(opened, Axis.TECHNIQUE).items()} == {
        name: label for name, (_, label) in before.items()
    }
    again = Likeness(opened.store, LetterEmbedder, opened.settings.model, LIMIT)
    tell(opened, STORY.format(a="Ada", b="Ben"), STORY.format(a="Ada", b="Ben") + " Twice.")
    again.refresh(EVERYBODY)
    assert again.name_clusters(EVERYBODY) > 0
    founder = f"D-{len(REPORTS) + len(WRAPPERS) + 1}"
    assert called(opened, Axis.WHOLE)[founder][1]


def test_clusters_are_named_while_vectors_of_another_length_are_on_their_way(opened: Runtime) -> None:
    class Other(LetterEmbedder):
        def embed(self, texts: Sequence[str], progress: object = None) -> NDArray[np.float32]:
            return np.ones((len(texts), 3), np.float32)

    tell(opened, *REPORTS)
    again = Likeness(opened.store, Other, opened.settings.model, LIMIT)
    again.refresh(EVERYBODY)
    assert again.name_clusters(EVERYBODY) > 0
    assert all(label for _, label in called(opened, Axis.TECHNIQUE).values())


def test_two_clusters_put_together_keep_a_name(opened: Runtime) -> None:
    tell(opened, *REPORTS)
    opened.likeness.name_clusters(EVERYBODY)
    one, other, *_ = sorted(called(opened, Axis.TECHNIQUE), key=lambda name: int(name[2:]))
    cluster_work.merge(opened.store, EVERYBODY, Axis.TECHNIQUE, one, other)
    opened.likeness.refresh(EVERYBODY)
    size, label = called(opened, Axis.TECHNIQUE)[one]
    assert size > len(QUESTIONS)
    assert label
    assert other not in called(opened, Axis.TECHNIQUE)
    assert opened.likeness.name_clusters(EVERYBODY) > 0


@pytest.mark.slow
@pytest.mark.parametrize("limit", [100, 0], ids=["below", "above"])
def test_what_is_kept_apart_never_meets_in_a_thousand_runs(tmp_path: Path, limit: int) -> None:
    runtime = open_runtime(tmp_path, close_reading=limit)
    stories = [f"{REPORTS[at % 4]} {at}" for at in range(16)]
    tell(runtime, *stories)
    memory = runtime.likeness._ready()
    with runtime.store.read() as cursor:
        model = learning.current(cursor)
    draw = random.Random(1)
    for _ in range(1_000):
        apart = frozenset(tuple(sorted(draw.sample(memory.ids, 2), key=len)) for _ in range(3))
        decided = Decided({Axis.WHOLE: (frozenset(), apart)})
        if limit:
            layout, _ = close_reading.lay(memory, decided, model)
            placed = {item.report_id: item.cluster_id for part in layout[Axis.WHOLE] for item in part.placed}
        else:
            memory.clusters.clear()
            found = far_reading.lay(memory, decided, 0)[Axis.WHOLE]
            placed = dict(zip(memory.ids, found.tolist(), strict=True))
        assert all(placed[a] != placed[b] for a, b in apart)
    runtime.close()
