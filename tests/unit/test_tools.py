"""Clusters of techniques parted into tools: what is one, and that it does not matter when one asks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from triage_core.likeness import tools
from triage_core.likeness.cluster import Clusters, Params, cluster_all
from triage_core.likeness.tools import Tools, whole

DIM = 64
PARAMS = Params(join=0.5, slack=0.1, suggest=0.4)
Vectors = NDArray[np.float32]


def unit(vectors: NDArray[np.float64]) -> Vectors:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


DRAWN = unit(np.random.default_rng(7).normal(size=(40, DIM)))
# Four near-copies of one template (.85 alike), and another template.
TEMPLATES = unit(
    np.vstack([np.sqrt(0.85) * DRAWN[0] + np.sqrt(0.15) * DRAWN[1:5], DRAWN[5:6]]).astype(np.float64)
)
ASKED = np.eye(DIM, dtype=np.float32)


class Side:
    """Reports with a wrapper and a request each, and their clusters."""

    def __init__(self, wrappers: Sequence[Vectors], asked: Sequence[int]) -> None:
        self.wrappers, self.requests = np.stack(wrappers), ASKED[list(asked)]

    def over(self, clusters: Clusters) -> Tools:
        return Tools(clusters, lambda rows: self.wrappers[rows], lambda rows: self.requests[rows])

    def at_once(self, count: int | None = None, **decided: Sequence[tuple[int, int]]) -> Tools:
        return self.over(cluster_all(self.wrappers[:count], PARAMS, **decided))

    def go_on(self, found: Tools, until: int | None = None) -> None:
        for row in range(len(found), len(self.wrappers) if until is None else until):
            before = found.labels()
            placed = found.place(row, self.wrappers[row], range(row))
            assert bool(placed.moved) == bool((found.labels()[:-1] != before).any())
            assert placed.cluster == found.labels()[row]


def used(templates: Sequence[int], asked: Sequence[int]) -> Side:
    return Side([TEMPLATES[at] for at in templates], asked)


def test_near_copies_that_were_used_word_for_word_are_two_tools() -> None:
    found = used([0, 0, 1, 1, 0, 1, 4], [0, 1, 0, 1, 2, 3, 0]).at_once()
    assert found.labels().tolist() == [0, 0, 2, 2, 0, 2, 6]
    assert found.parts() == {2: 0}
    assert [found.size(cluster) for cluster in (0, 2, 6)] == [3, 3, 1]
    assert whole(found.labels(), found.parts()).tolist() == [0, 0, 0, 0, 0, 0, 6]


def test_copies_that_people_edited_are_one_technique() -> None:
    edited = [unit(0.9 * TEMPLATES[0] + 0.43 * DRAWN[10 + at].astype(np.float64)) for at in range(5)]
    assert set(Side([*edited, TEMPLATES[0], TEMPLATES[0]], range(7)).at_once().labels()) == {0}


def test_what_repeats_one_request_is_no_tool() -> None:
    assert set(used([0, 0, 1, 1], [0, 0, 1, 1]).at_once().labels()) == {0}


def test_who_carries_no_tool_goes_with_the_likest() -> None:
    near = unit(0.95 * TEMPLATES[1] + 0.4 * DRAWN[10].astype(np.float64))
    wrappers = [TEMPLATES[0], TEMPLATES[0], TEMPLATES[1], TEMPLATES[1], near]
    assert Side(wrappers, range(5)).at_once().labels().tolist() == [0, 0, 2, 2, 2]


def test_the_first_members_tell_the_tools_and_later_ones_go_with_the_likest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tools, "MOST_TOLD", 4)
    side = used([0, 0, 1, 1, 1, 0, 2, 2, 1], range(9))
    found = side.at_once(4)
    side.go_on(found)
    # A third tool among later ones is none of its own: both its reports go with what they are likest to.
    assert found.labels().tolist()[:6] == [0, 0, 2, 2, 2, 0]
    assert set(found.labels().tolist()) == {0, 2}
    once = side.at_once()
    assert once.labels().tolist() == found.labels().tolist()
    rows = np.arange(len(side.wrappers))
    for one, other in zip(found.reasons(rows)[2:], once.reasons(rows)[2:], strict=True):
        assert one.tolist() == other.tolist()


def test_reasons_are_those_of_parts() -> None:
    side = used([0, 0, 1, 1], range(4))
    why = side.at_once().reasons(np.arange(4))
    assert why.mean.tolist() == pytest.approx([1, 1, 1, 1], abs=2e-3)
    assert why.runner_up.tolist() == [2, 2, 0, 0]
    between = float(side.wrappers[0] @ side.wrappers[2])
    assert why.runner_up_mean.tolist() == pytest.approx([between] * 4, abs=2e-3)
    alone = used([0, 4], range(2)).at_once().reasons(np.arange(2))
    assert np.isnan(alone.mean).all()


def test_people_s_word_holds_among_parts() -> None:
    side = used([0, 0, 1, 1, 2, 2], range(6))
    found = side.at_once()
    assert found.labels().tolist() == [0, 0, 2, 2, 4, 4]
    assert found.must_link(1, 4) == (4, 5)
    assert found.labels().tolist() == [0, 0, 2, 2, 0, 0]
    assert side.at_once(must=[(1, 4)]).labels().tolist() == [0, 0, 2, 2, 0, 0]
    assert found.cannot_link(2, 3)
    assert found.cluster_of(2) != found.cluster_of(3)
    assert found.cluster_of(1) == found.cluster_of(4)


def test_who_is_likest_to_a_tool_that_people_bound_goes_with_it_whenever_it_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tools, "MOST_TOLD", 6)
    side = used([0, 0, 1, 1, 2, 2], range(6))
    # Likest to the first tool, and less like the first and the second together than like the third.
    last = unit(0.95 * TEMPLATES[0] - 0.45 * TEMPLATES[1] + 0.35 * TEMPLATES[2].astype(np.float64))
    first, second, third = (float(last @ TEMPLATES[at]) for at in range(3))
    assert first > third > (first + second) / 2
    assert (first + second + third) / 3 > PARAMS.gate
    side = Side([*side.wrappers, last], range(7))
    found = side.at_once(6, must=[(0, 2)])
    side.go_on(found)
    assert found.labels().tolist() == [0, 0, 0, 0, 4, 4, 0]
    assert side.at_once(must=[(0, 2)]).labels().tolist() == found.labels().tolist()


def test_a_runner_up_in_parts_is_its_likest_part() -> None:
    # In a cluster of its own kind, and next like one tool of the other cluster.
    near = unit(TEMPLATES[1] + 1.1 * DRAWN[10].astype(np.float64))
    side = Side([*used([0, 0, 1, 1], range(4)).wrappers, DRAWN[10], DRAWN[10], near], range(7))
    found = side.at_once()
    assert found.labels().tolist() == [0, 0, 2, 2, 4, 4, 4]
    assert found.reasons(np.arange(7)).runner_up.tolist() == [2, 2, 0, 0, -1, -1, 2]
    for row in range(7):
        why, labels = found.reasons(np.array([row])), found.labels()
        if why.runner_up[0] >= 0:
            part = int(why.runner_up[0])
            assert part in labels
            assert part != labels[row]
            mean = float(np.mean(side.wrappers[labels == part] @ side.wrappers[row]))
            assert float(why.runner_up_mean[0]) == pytest.approx(mean, abs=2e-3)


def test_parts_are_gone_when_what_told_them_is() -> None:
    found = used([0, 0, 1, 1], range(4)).at_once()
    assert found.parts() == {2: 0}
    assert found.must_link(0, 2) == (2, 3)
    assert found.parts() == {}


STEPS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), st.booleans(), st.booleans()), min_size=1, max_size=24
)


@pytest.mark.parametrize("most", [tools.MOST_TOLD, 6])
@given(steps=STEPS, bound=st.lists(st.tuples(st.integers(0, 23), st.integers(0, 23)), max_size=2))
def test_one_by_one_and_after_restarts_they_are_as_all_at_once(
    most: int, steps: list[tuple[int, int, bool, bool]], bound: list[tuple[int, int]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tools, "MOST_TOLD", most)
        side = Side(
            [
                unit(TEMPLATES[at] + 0.4 * DRAWN[20 + asked].astype(np.float64)) if edited else TEMPLATES[at]
                for at, asked, edited, _ in steps
            ],
            [asked for _, asked, _, _ in steps],
        )
        must = [(a, b) for a, b in bound if a != b and max(a, b) < len(steps)]
        found = side.over(Clusters(DIM, PARAMS, must))
        for count, (*_, restarted) in enumerate(steps, 1):
            side.go_on(found, count)
            if restarted:
                ruled = whole(found.labels(), found.parts())
                found = side.over(Clusters.restore(ruled, side.wrappers[:count], (), PARAMS, must))
        once = side.at_once(must=must)
        assert found.labels().tolist() == once.labels().tolist()
        assert found.parts() == once.parts()
        for cluster in set(once.labels().tolist()):
            assert found.size(cluster) == (once.labels() == cluster).sum()
            assert once.labels()[cluster] == cluster
        assert all(once.cluster_of(a) == once.cluster_of(b) for a, b in must)
