"""Average linkage down to a least mean: groups are joined while the mean likeness of their pairs is high enough.

By chains of nearest neighbours: after a group comes the likest to it, until two are the likest of each other and
become one. Joining two groups brings neither nearer to a third; so a group whose likest is not like enough stands as
it is, and is left out from then on. Where two members of a group must link as well, joining may bring a third
nearer: then those with the best mean of all come first.
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


@compiled
def likest_later(
    sums: NDArray[np.float64], nearest: NDArray[np.float32], sizes: NDArray[np.float64], own: int, link: float
) -> tuple[int, float]:
    """The first group after `own` with the best mean likeness to it, of those that link to it, and this mean."""
    at, best = -1, -np.inf
    for other in range(own + 1, len(sizes)):
        if sizes[other] > 0 and nearest[own, other] >= link:
            mean = sums[own, other] / (sizes[own] * sizes[other])
            if mean > best:
                at, best = other, mean
    return at, best


@compiled
def join_linked(dots: NDArray[np.float32], link: float, gate: float) -> NDArray[np.int64]:
    """(m,) groups of rows with these grid dot products, (m, m), each named after its first.

    Those with the best mean are put together first, as long as it reaches `gate` and two of them link.
    """
    count = len(dots)
    sums, nearest = dots.astype(np.float64), dots.copy()
    labels, sizes = np.arange(count), np.ones(count)
    # The likest of the later groups is kept for each, since joining two changes it for few.
    later, means = np.empty(count, np.int64), np.empty(count)
    for i in range(count):
        later[i], means[i] = likest_later(sums, nearest, sizes, i, link)
    while True:
        one = int(np.argmax(means))
        if means[one] < gate:
            return labels
        other = later[one]
        for i in range(count):
            if labels[i] == other:
                labels[i] = one
        sizes[one] += sizes[other]
        sizes[other], means[other] = 0, -np.inf
        sums[one] += sums[other]
        sums[:, one] = sums[one]
        nearest[one] = np.maximum(nearest[one], nearest[other])
        nearest[:, one] = nearest[one]
        for i in range(count):
            if sizes[i] > 0 and (i == one or later[i] == one or later[i] == other):
                later[i], means[i] = likest_later(sums, nearest, sizes, i, link)
            elif i < one and sizes[i] > 0 and nearest[i, one] >= link:
                mean = sums[i, one] / (sizes[i] * sizes[one])
                if mean > means[i] or (mean == means[i] and one < later[i]):
                    later[i], means[i] = one, mean
