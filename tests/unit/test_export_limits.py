"""How many reports become rows: each is told in its order whether there is room, however many come at once."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from triage_core.exporters.gate import Reason
from triage_core.exporters.limits import Limits
from triage_core.exporters.split import Split, Splits, group

CAPS = {Split.TRAIN: 9, Split.TEST: 4}


@pytest.mark.parametrize("per_group", [0, 1, 3])
@pytest.mark.parametrize("at_once", [1, 7, 200])
def test_there_is_room_for_each_report_as_if_it_came_alone(per_group: int, at_once: int) -> None:
    rng = np.random.default_rng(3)
    numbers = np.arange(201)
    earliest = np.where(rng.random(201) < 0.3, rng.integers(1, 201, 201), numbers)
    earliest = np.minimum(earliest, numbers)
    earliest = earliest[earliest]  # of a report that has an earlier one itself
    earliest = np.where(earliest[earliest] == earliest, earliest, numbers)
    near = rng.integers(1, 201, (2, 60))
    groups = group(earliest, near[0], near[1])
    sides = Splits(groups, {Split.TEST: groups.oldest[rng.integers(1, 201, 30)]})
    names = ["", *(f"RP-{number}" for number in range(8))]
    reporters = [names[number] for number in rng.integers(0, len(names), 200)]

    wanted, seen = [], set[int]()
    of_group, of_reporter = Counter[int](), Counter[tuple[bool, str]]()
    for seq, reporter in zip(range(1, 201), reporters, strict=True):
        test = bool(sides.test(np.array([seq]))[0])
        oldest = int(groups.oldest[seq])
        cap = CAPS[Split.TEST if test else Split.TRAIN]
        if int(earliest[seq]) in seen:
            wanted.append(Reason.EXACT_DUPLICATE)
        elif 0 < per_group <= of_group[oldest]:
            wanted.append(Reason.GROUP_REPRESENTED)
        elif reporter and of_reporter[test, reporter] >= cap:
            wanted.append(Reason.REPORTER_CAP)
        else:
            wanted.append(None)
            seen.add(int(earliest[seq]))
            of_group[oldest] += 1
            of_reporter[test, reporter] += 1

    limits, found = Limits(sides, per_group, CAPS), [None] * 200
    for start in range(0, 200, at_once):
        seqs = numbers[1:][start : start + at_once]
        told = limits.why_not(seqs, pa.array(reporters[start : start + at_once]))
        for reason, here in told.items():
            for place in np.flatnonzero(here).tolist():
                assert found[start + place] is None
                found[start + place] = reason
    assert found == wanted
    assert {Reason.EXACT_DUPLICATE, Reason.REPORTER_CAP, None} <= set(wanted)
    assert (Reason.GROUP_REPRESENTED in wanted) == (per_group > 0)
