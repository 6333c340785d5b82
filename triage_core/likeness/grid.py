"""Unit vectors on an integer grid, where every dot product is exact whatever the order of summation.

Floating-point sums depend on their order, so the same pair of reports could link in a bulk run and
not link one by one. On this grid it cannot: components are integers and every vector is at most
4,096 long, so by Cauchy-Schwarz each partial sum of a dot product is at most 2**24 and float32 holds
it exactly. A plain BLAS product of grid vectors is therefore exact in any blocking and on any number
of threads. Cosines move by about 1e-4 (standard deviation, 384 dimensions), far below what a
threshold can mean; `margin` bounds the move.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from triage_core.likeness.kernels import rounded

LONGEST = 4096
NORM_TOLERANCE = 1e-3


def scale(dim: int) -> int:
    """Grid steps per unit length, so that rounding never makes a vector longer than 4,096 steps."""
    steps = math.floor(LONGEST / (1 + NORM_TOLERANCE) - math.sqrt(dim) / 2)
    if dim < 1 or steps < 1:
        raise ValueError(f"dim: {dim} is not a dimension that the grid can hold")
    return steps


def to_grid(vectors: NDArray[np.float32]) -> NDArray[np.int16]:
    """The vectors as integers, shape kept; (d,) or (n, d).

    Raises ValueError for a vector that is not finite or longer than one; a zero vector is like nothing.
    """
    squares = np.einsum("...d,...d->...", vectors, vectors)
    if not np.all(squares <= 1 + NORM_TOLERANCE):
        raise ValueError("vectors: no vector is longer than one")
    grid: NDArray[np.int16] = np.empty(vectors.shape, dtype=np.int16)
    places = vectors.shape[-1]
    rounded(
        np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1, places),
        np.float32(scale(places)),
        grid.reshape(-1, places),
    )
    return grid


def checked_unit(vectors: NDArray[np.float32]) -> None:
    """Raise ValueError unless every vector is finite and of length one, or zero."""
    squares = np.einsum("...d,...d->...", vectors, vectors)
    unit = np.abs(squares - 1) <= NORM_TOLERANCE
    if not np.all(unit | (squares == 0)):
        raise ValueError("vectors: every vector has length one, or is zero")


def least_dot(cosine: float, dim: int) -> int:
    """The smallest grid dot product that counts as this cosine."""
    return math.ceil(cosine * scale(dim) ** 2)


def margin(dim: int) -> float:
    """The most that the grid can move a cosine: ask a search for this much below a threshold."""
    return math.sqrt(dim) / scale(dim) + NORM_TOLERANCE


def to_cosine(dot: int | float, dim: int) -> float:
    """The cosine of a grid dot product; a hair above one (rounding) is one."""
    return min(dot / scale(dim) ** 2, 1.0)
