"""Beyond close reading the first reports are read with each other again as more come: in every order about the same."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tests.making import EVERYBODY, LetterEmbedder, bring, make_report, open_runtime
from tests.unit.test_axes import QUESTIONS, WRAPPERS
from triage_core import db
from triage_core.clusters import cluster_work
from triage_core.index import arrivals, far_reading, placements, readings
from triage_core.index.arrivals import together
from triage_core.index.embedding import TOGETHER
from triage_core.index.indexing import Likeness
from triage_core.likeness.axes import Axis
from triage_core.runtime import Runtime
from triage_core.settings import CLOSE_READING
from triage_core.store import Store

LIMIT = 8
WORDS = """
anchor basket candle donkey engine feather garden hammer island jacket kettle ladder meadow needle orchard
pepper quarry ribbon saddle timber umbrella valley window yellow amber bridge copper dagger ember fiddle
"""
OTHERS = [" ".join(random.Random(at).choices(WORDS.split(), k=60)) + ". " for at in range(2)]
TOLD = [*WRAPPERS.values(), *OTHERS]
ASKED = [*QUESTIONS.values(), "Who invented the zip?", "Where do swallows spend the cold winter months?"]
REPORTS = [wrapper + question for question in ASKED for wrapper in TOLD]


@pytest.fixture(autouse=True)
def _early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "LEAST_TOGETHER", 16)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Runtime]:
    runtime = open_runtime(tmp_path, close_reading=LIMIT)
    yield runtime
    runtime.close()


def shuffled(seed: int) -> list[str]:
    return random.Random(seed).sample(REPORTS, len(REPORTS))


def tell(store: Store, likeness: Likeness, stories: Sequence[str]) -> None:
    bring(store, *(make_report(story) for story in stories))
    likeness.refresh(EVERYBODY)


def kept(store: Store) -> tuple[list[dict[str, str]], list[db.Row], list[db.Row]]:
    """The clusters of all axes, the readings and the spans."""
    with store.read() as cursor:
        return (
            [placements.read_clusters(cursor, axis) for axis in Axis],
            db.rows(cursor, "SELECT * FROM readings ORDER BY seq"),
            db.rows(cursor, "SELECT * FROM spans ORDER BY ALL"),
        )


def at_once(folder: Path, stories: Sequence[str]) -> tuple[list[dict[str, str]], list[db.Row], list[db.Row]]:
    runtime = open_runtime(folder, close_reading=LIMIT)
    tell(runtime.store, runtime.likeness, stories)
    found = kept(runtime.store)
    runtime.close()
    return found


def test_how_many_are_read_with_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert [together(count, 4_000) for count in (4_001, 4_999, 5_000, 6_249, 6_250)] == [
        4_000, 4_000, 5_000, 5_000, 6_250,
    ]  # fmt: skip
    assert [together(count, 0) for count in (1, 63, 64, 79, 80)] == [0, 0, 64, 64, 80]
    for limit in (0, 10, CLOSE_READING):
        counts = range(max(limit, 80) + 1, arrivals.MOST_TOGETHER, 7)
        found = [together(count, limit) for count in counts]
        assert found == sorted(found)
        assert all(0.79 * count < told <= count for told, count in zip(found, counts, strict=True))
    assert together(10**6, 4_000) == together(arrivals.MOST_TOGETHER, 4_000)
    assert together(10**6, 20_000) == 20_000


def test_the_first_of_a_family_is_divided_once_others_have_come(opened: Runtime) -> None:
    """Its wrapper was nobody's when it came, and it is short: left whole."""
    first = TOLD[0] + ASKED[0]
    before = [TOLD[1] + question for question in ASKED] + [TOLD[2] + question for question in ASKED[:3]]

    def spans() -> dict[str, dict[str, tuple[tuple[int, int], ...]]]:
        with opened.store.read() as cursor:
            return readings.spans(cursor, ["FR-10"])

    tell(opened.store, opened.likeness, [*before, first])
    assert spans() == {}
    tell(opened.store, opened.likeness, [TOLD[0] + question for question in ASKED[1:]])
    assert spans() == {}
    tell(opened.store, opened.likeness, [TOLD[0] + "How tall is the tallest tree?"])
    ((begin, end),) = spans()["FR-10"]["request"]
    assert first[begin:end] == ASKED[0]


@pytest.mark.parametrize(
    ("size", "restarts"), [(1, False), (1, True), (7, True)], ids=["one by one", "after restarts", "in parts"]
)
def test_it_does_not_matter_when_one_asks(opened: Runtime, tmp_path: Path, size: int, restarts: bool) -> None:
    order = shuffled(1)
    likeness = opened.likeness
    for start in range(0, len(order), size):
        if restarts and start % 3 == 0:
            likeness = Likeness(opened.store, LetterEmbedder, opened.settings.model, LIMIT)
        tell(opened.store, likeness, order[start : start + size])
        count = min(start + size, len(order))
        if count in (9, 16, 21, 25, len(order)):
            assert kept(opened.store) == at_once(tmp_path / str(count), order[:count])
    revision = opened.store.revision
    assert all(found.moved == 0 for found in opened.likeness.rebuild(EVERYBODY).values())
    assert opened.store.revision == revision


def test_what_fails_after_reading_is_laid_as_if_nothing_had_failed(
    opened: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shuffled(2)
    tell(opened.store, opened.likeness, order[:24])

    def full(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(far_reading, "lay", full)
        with pytest.raises(MemoryError):
            tell(opened.store, opened.likeness, order[24:25])
    again = Likeness(opened.store, LetterEmbedder, opened.settings.model, LIMIT)
    for likeness in (again, opened.likeness):
        likeness.refresh(EVERYBODY)
        assert kept(opened.store) == at_once(tmp_path / str(id(likeness)), order[:25])


def test_orders_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def agreement() -> float:
        found = []
        for seed in range(5):
            order = shuffled(seed)
            clusters, _, _ = at_once(tmp_path / f"{arrivals.MOST_TOGETHER}/{seed}", order)
            of = dict(zip(order, clusters[list(Axis).index(Axis.REQUEST)].values(), strict=True))
            found.append([of[story] for story in REPORTS])
        return float(
            min(adjusted_rand_score(one, other) for at, one in enumerate(found) for other in found[:at])
        )

    assert agreement() == 1
    monkeypatch.setattr(arrivals, "MOST_TOGETHER", 0)
    assert agreement() < 0.98


@pytest.mark.parametrize("axis", Axis)
def test_what_people_said_holds_and_names_lead_on(opened: Runtime, axis: Axis) -> None:
    order = shuffled(3)

    def placed() -> dict[str, str]:
        with opened.store.read() as cursor:
            return placements.read_clusters(cursor, axis)

    tell(opened.store, opened.likeness, [*order[:14], order[0] + " Please?"])
    before = placed()
    assert before["FR-15"] == before["FR-1"]
    one, other = [name for name in dict.fromkeys(before.values()) if name != before["FR-1"]][:2]
    cluster_work.split(opened.store, EVERYBODY, axis, before["FR-1"], ["FR-15"])
    cluster_work.merge(opened.store, EVERYBODY, axis, one, other)
    opened.likeness.refresh(EVERYBODY)
    given = {*before.values(), *placed().values()}
    for story in order[14:]:
        tell(opened.store, opened.likeness, [story])
        found = placed()
        assert found["FR-15"] != found["FR-1"]
        assert found[placements.founder(one)] == found[placements.founder(other)]
        with opened.store.read() as cursor:
            rows = db.rows(cursor, "SELECT old_id FROM cluster_aliases WHERE axis = ?", [axis])
        given |= set(found.values())
        # Whatever was a name once stands or leads to what does.
        assert {row["old_id"] for row in rows} == given - set(found.values())


def test_the_same_request_is_not_embedded_again(opened: Runtime) -> None:
    made: list[str] = []

    class Counting(LetterEmbedder):
        def embed(self, texts: Sequence[str], progress: object = None) -> np.ndarray:
            made.extend(texts)
            return super().embed(texts)

    likeness = Likeness(opened.store, Counting, opened.settings.model, LIMIT)
    tell(opened.store, likeness, REPORTS[:24])
    made.clear()
    tell(opened.store, likeness, REPORTS[24:25])
    assert together(25, LIMIT) == 25
    assert 0 < len(made) < 8


def test_another_limit_for_a_while_leaves_no_old_readings(opened: Runtime, tmp_path: Path) -> None:
    """Close reading writes spans of its own: readings from before it are not to be taken for theirs."""
    order = shuffled(1)
    tell(opened.store, opened.likeness, order[:20])
    tell(opened.store, Likeness(opened.store, LetterEmbedder, opened.settings.model, 40), order[20:21])
    low = Likeness(opened.store, LetterEmbedder, opened.settings.model, LIMIT)
    for start, count in ((21, 22), (22, 25)):
        tell(opened.store, low, order[start:count])
        assert kept(opened.store)[1:] == at_once(tmp_path / str(count), order[:count])[1:]


@pytest.mark.parametrize("limit", [0, LIMIT])
def test_a_lower_limit_leaves_the_spans_of_all_once(opened: Runtime, tmp_path: Path, limit: int) -> None:
    order, model = shuffled(1)[: LIMIT + 5], opened.settings.model
    tell(opened.store, Likeness(opened.store, LetterEmbedder, model, 40), order)
    low = Likeness(opened.store, LetterEmbedder, model, limit)
    low.refresh(EVERYBODY)
    runtime = open_runtime(tmp_path / "at once", close_reading=limit)
    tell(runtime.store, runtime.likeness, order)
    assert kept(opened.store)[1:] == kept(runtime.store)[1:]
    runtime.close()


def test_another_model_leaves_the_spans_of_all_once(opened: Runtime) -> None:
    class Other(LetterEmbedder):
        model_id = "other"

    tell(opened.store, opened.likeness, shuffled(1)[:24])
    before = kept(opened.store)
    Likeness(opened.store, Other, "other", LIMIT).refresh(EVERYBODY)
    assert kept(opened.store)[1:] == before[1:]


def test_what_is_said_of_a_place_is_of_the_latest_reading(opened: Runtime, tmp_path: Path) -> None:
    """Who stays in a cluster when all are read anew may be less or more like its members than before."""

    def said(store: Store) -> list[list[placements.Placement]]:
        with store.read() as cursor:
            return [
                sorted(placements.read(cursor, axis).values(), key=lambda item: item.report_id)
                for axis in Axis
            ]

    order = shuffled(1)
    for story in order:
        tell(opened.store, opened.likeness, [story])
    runtime = open_runtime(tmp_path / "at once", close_reading=LIMIT)
    tell(runtime.store, runtime.likeness, order)
    assert said(opened.store) == said(runtime.store)
    runtime.close()


def test_after_a_lower_limit_clusters_are_laid_as_at_once_by_a_rebuild(
    opened: Runtime, tmp_path: Path
) -> None:
    """As docs/settings.md says, also before anything else has read the reports."""
    order, model = shuffled(1)[:24], opened.settings.model
    tell(opened.store, Likeness(opened.store, LetterEmbedder, model, 40), order)
    low = Likeness(opened.store, LetterEmbedder, model, LIMIT)
    low.rebuild(EVERYBODY, accept=True)
    assert kept(opened.store) == at_once(tmp_path / "at once", order)
    assert low.similar("FR-1", 1)


def test_a_restart_of_close_reading_writes_no_spans_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = open_runtime(tmp_path)
    tell(runtime.store, runtime.likeness, REPORTS[:20])
    runtime.close()
    written: list[str] = []
    monkeypatch.setattr(readings, "add_spans", lambda work, found: written.extend(found))
    runtime = open_runtime(tmp_path)
    runtime.likeness.refresh(EVERYBODY)
    assert kept(runtime.store)[2], "else this test shows nothing"
    runtime.close()
    assert written == []


def test_reading_again_tells_how_far_it_is_and_ends_when_it_is_told_to(opened: Runtime) -> None:
    order = shuffled(4)
    half = len(order) // 2
    tell(opened.store, opened.likeness, order[:half])
    before = kept(opened.store)[1]
    bring(opened.store, *(make_report(story) for story in order[half:]))
    told: list[tuple[int, int, str]] = []

    def again() -> bool:
        return any(what == TOGETHER for _, _, what in told)

    opened.likeness.refresh(EVERYBODY, lambda *how_far: told.append(how_far), stopped=again)
    assert told[-1] == (0, together(len(order), LIMIT), TOGETHER)
    assert kept(opened.store)[1] == before, "half of a reading is none"
    opened.likeness.refresh(EVERYBODY)
    with opened.store.read() as cursor:
        assert db.value(cursor, "SELECT count(*) FROM readings") == len(order)
        assert db.value(cursor, "SELECT count(*) FROM memberships WHERE axis = 'whole'") == len(order)
