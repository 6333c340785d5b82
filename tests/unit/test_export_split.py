"""Groups and the side of the split on which each is."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
import pyarrow as pa

from triage_core.exporters.split import SALT, TEST_SHARE, Groups, Split, Splits, draw, group


def groups(last: int, *pairs: tuple[int, int]) -> Groups:
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    return group(np.arange(last + 1), ends[:, 0], ends[:, 1])


def remembered(train: tuple[int, ...] = (), test: tuple[int, ...] = ()) -> dict[Split, np.ndarray]:
    return {Split.TRAIN: np.array(train, np.int64), Split.TEST: np.array(test, np.int64)}


def id_on(side: Split) -> str:
    names = pa.array([f"FR-{number}" for number in range(1, 1_000)])
    return str(names[np.flatnonzero(draw(names) == (side is Split.TEST))[0]])


def drawn(sides: Splits, side: Split, *seqs: int) -> list[bool]:
    """Which of these reports are test data when every group that has no side is drawn for this one."""
    undrawn = sides.undrawn(np.array(seqs))
    sides.draw(undrawn, pa.array([id_on(side)] * len(undrawn), pa.string()))
    return sides.test(np.array(seqs)).tolist()


def test_groups_are_connected_components_named_after_their_oldest() -> None:
    found = groups(7, (2, 5), (5, 3), (6, 7))
    assert found.oldest[1:].tolist() == [1, 2, 2, 4, 2, 6, 6]
    assert found.size[1:].tolist() == [1, 3, 3, 1, 3, 2, 2]


def test_reports_with_the_same_conversation_are_one_group() -> None:
    found = group(np.array([0, 1, 2, 1]), np.array([3]), np.array([2]))
    assert found.oldest[1:].tolist() == [1, 1, 1]
    assert found.earliest[1:].tolist() == [1, 2, 1]


def test_no_reports_make_no_groups() -> None:
    assert groups(0).oldest[1:].tolist() == []


def test_about_a_tenth_is_drawn_for_test_by_the_keyed_hash_of_the_id() -> None:
    ids = [f"FR-{number}" for number in range(1, 10_001)]
    found = draw(pa.array(ids))
    assert 900 < found.sum() < 1_100
    first = (hmac.digest(SALT, name.encode(), hashlib.sha256)[:8] for name in ids)
    assert found.tolist() == [int.from_bytes(one) < TEST_SHARE * 2**64 for one in first]


def test_a_new_group_is_drawn() -> None:
    for side in Split:
        sides = Splits(groups(1), remembered())
        assert drawn(sides, side, 1) == [side is Split.TEST]
        assert not sides.is_remembered(np.array([1])).any()


def test_a_remembered_side_is_kept_whatever_the_draw_says() -> None:
    for side, other in ((Split.TRAIN, Split.TEST), (Split.TEST, Split.TRAIN)):
        sides = Splits(groups(2, (1, 2)), {side: np.array([2]), other: np.array([], np.int64)})
        assert drawn(sides, other, 1, 2) == [side is Split.TEST] * 2


def test_where_groups_grow_together_the_test_side_wins() -> None:
    sides = Splits(groups(4, (1, 2), (2, 3)), remembered(train=(1, 4), test=(3,)))
    assert drawn(sides, Split.TRAIN, 1, 2, 3, 4) == [True, True, True, False]
    assert sides.was_train(np.array([1, 3])).tolist() == [True, False]
