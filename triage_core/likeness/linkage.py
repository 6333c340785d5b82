"""Average linkage down to a least mean: groups are joined while the mean likeness of their pairs is high enough.

By chains of nearest neighbours: after a group comes the likest to it, until two are the likest of each other and
become one. Joining two groups brings neither nearer to a third; so a group whose likest is not like enough stands as
it is, and is left out from then on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.kernels import COMPILED, compiled

Matrix = NDArray[np.float32]
Labels = NDArray[np.int64]


def likest(sums: Matrix, share: Matrix, own: int) -> tuple[int, np.float32]:
    """The group with the highest mean likeness to the group `own`, the first of equals, and this mean."""
    best, at = np.float32(-np.inf), -1
    for other in range(len(share)):
        if other != own and share[other] > 0:
            mean = sums[own, other] * (share[own] * share[other])
            if mean > best:
                best, at = mean, other
    return at, best


def _likest_numpy(sums: Matrix, share: Matrix, own: int) -> tuple[int, np.float32]:
    means = np.where(share > 0, sums[own] * (share[own] * share), np.float32(-np.inf))
    means[own] = -np.inf
    at = int(means.argmax())
    return at, means[at]


likest = compiled(likest) if COMPILED else _likest_numpy


@compiled
def join(sums: Matrix, sizes: Matrix, least: float) -> Labels:
    """(n,) the earliest row of each row's group. `sums` and `sizes` are written over.

    `sums` (n, n) is symmetric and holds the sums of the likeness between groups, `sizes` (n,) how many members each
    has: single rows, or what is joined beforehand. A size of 0 leaves a row out.
    """
    count = len(sizes)
    parent, chain = np.arange(count), np.empty(count, np.int64)
    share = (1 / np.maximum(sizes, 1)).astype(np.float32)
    share[sizes == 0] = 0
    for start in range(count):
        length = 0
        while length or share[start] > 0:
            if not length:
                chain[0], length = start, 1
            last = chain[length - 1]
            following, mean = likest(sums, share, last)
            if mean < least:
                share[last] = 0
                length -= 1
                continue
            if length > 1:
                before = chain[length - 2]
                # Of equals the one before goes first, or the chain would not end.
                if sums[last, before] * (share[last] * share[before]) == mean or length == count:
                    one, other = min(last, before), max(last, before)
                    sums[one] += sums[other]
                    sums[:, one] = sums[one]
                    sizes[one] += sizes[other]
                    share[one] = 1 / sizes[one]
                    share[other], parent[other] = 0, one
                    length -= 2
                    continue
            chain[length] = following
            length += 1
    for row in range(count):
        parent[row] = parent[parent[row]]  # whoever was joined went to an earlier one
    return parent
