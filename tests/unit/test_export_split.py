"""Groups and the side of the split on which each is."""

from __future__ import annotations

import numpy as np

from triage_core.exporters.split import Groups, Split, Splits, drawn, group


def groups(last: int, *pairs: tuple[int, int]) -> Groups:
    ends = np.array(pairs, np.int64).reshape(-1, 2)
    return group(np.arange(last + 1), ends[:, 0], ends[:, 1])


def remembered(train: tuple[int, ...] = (), test: tuple[int, ...] = ()) -> dict[Split, np.ndarray]:
    return {Split.TRAIN: np.array(train, np.int64), Split.TEST: np.array(test, np.int64)}


def id_on(side: Split) -> str:
    names = [f"FR-{number}" for number in range(1, 1_000)]
    return names[int(np.argmax(drawn(names) == (side is Split.TEST)))]


def side_of(sides: Splits, seq: int, oldest_id: str) -> Split:
    """The side of report `seq`, whose group is drawn by this id when it has none yet."""
    seqs = np.array([seq])
    oldest = sides.undrawn(seqs)
    sides.draw(oldest, [oldest_id] * len(oldest))
    return Split.TEST if sides.test(seqs)[0] else Split.TRAIN


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


def test_about_a_tenth_is_drawn_for_test_and_always_the_same() -> None:
    ids = [f"FR-{number}" for number in range(1, 10_001)]
    found = drawn(ids)
    assert 900 < found.sum() < 1_100
    assert found.tolist() == [bool(drawn([name])[0]) for name in ids]


def test_a_new_group_is_drawn() -> None:
    sides = Splits(groups(1), remembered())
    assert [side_of(sides, 1, id_on(side)) for side in Split] == list(Split)
    assert not sides.is_remembered(1)


def test_a_remembered_side_is_kept_whatever_the_draw_says() -> None:
    for side, other in ((Split.TRAIN, Split.TEST), (Split.TEST, Split.TRAIN)):
        sides = Splits(groups(2, (1, 2)), {side: np.array([2]), other: np.array([], np.int64)})
        assert [side_of(sides, seq, id_on(other)) for seq in (1, 2)] == [side, side]


def test_where_groups_grow_together_the_test_side_wins() -> None:
    sides = Splits(groups(4, (1, 2), (2, 3)), remembered(train=(1, 4), test=(3,)))
    assert [side_of(sides, seq, id_on(Split.TRAIN)) for seq in (1, 2, 3, 4)] == [
        Split.TEST, Split.TEST, Split.TEST, Split.TRAIN,
    ]  # fmt: skip
    assert sides.was_train(1)
    assert not sides.was_train(3)
