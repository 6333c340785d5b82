"""A seeded stand-in for a million reports: unit vectors with known clusters, and texts to go with them.

Shaped after sentence embeddings of real reports: energy falls off by about a power law (two thirds in the
first 64 principal directions), unrelated rows have cosine .07 with a spread of .13, and rows of one
topic are confusably near (.3 to .7). Half of the rows stand alone; the sizes of the others' clusters follow
a power law (Zipf) with the exponent 2, so 3,000 copies occur as well as pairs. One row in a hundred is a
bridge: a blend of two clusters of the same topic, nearer to the one that it is labelled with. Bridges are
bait for methods that chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LARGEST = 3_000
PER_TOPIC = 100
BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class Mixture:
    """`vectors` (n, dim) float32 of length one; `labels` (n,) the true cluster of each row."""

    vectors: NDArray[np.float32]
    labels: NDArray[np.int64]


def mixture(n: int, seed: int = 0, dim: int = 384) -> Mixture:
    """n rows in random order of arrival; the same for the same arguments."""
    rng = np.random.default_rng(seed)
    shape = _shape(rng, dim)
    sizes = _sizes(rng, n)
    clusters = len(sizes)
    labels = rng.permutation(np.repeat(np.arange(clusters), sizes))
    topics = rng.integers(0, max(1, clusters // PER_TOPIC), clusters)
    topic_centres = _directions(rng, int(topics.max()) + 1, shape)
    share = rng.uniform(0.3, 0.7, len(topic_centres)).astype(np.float32)[topics]
    centres = np.empty((clusters, dim), dtype=np.float32)
    for start in range(0, clusters, BLOCK):
        part = slice(start, start + BLOCK)
        own = _directions(rng, len(topics[part]), shape)
        weight = share[part, None]
        centres[part] = unit(np.sqrt(weight) * topic_centres[topics[part]] + np.sqrt(1 - weight) * own)
    sibling = _siblings(rng, topics)
    tightness = rng.uniform(0.88, 0.99, clusters).astype(np.float32)
    vectors = np.empty((n, dim), dtype=np.float32)
    for start in range(0, n, BLOCK):
        mine = labels[start : start + BLOCK]
        base = centres[mine]
        bridge = np.flatnonzero(rng.random(len(mine)) < 0.01)
        weight = rng.uniform(0.5, 0.7, (len(bridge), 1)).astype(np.float32)
        base[bridge] = unit(weight * base[bridge] + (1 - weight) * centres[sibling[mine[bridge]]])
        spread = np.sqrt(1 - tightness[mine])[:, None]
        noise = _directions(rng, len(mine), shape)
        vectors[start : start + BLOCK] = unit(np.sqrt(tightness[mine])[:, None] * base + spread * noise)
    return Mixture(vectors, labels.astype(np.int64))


def themes(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """What the texts of these clusters are about, (n,): those of one theme differ in numbers and courtesies."""
    return labels % (len(_SUBJECTS) * len(_TRICKS))


def texts(labels: NDArray[np.int64], seed: int = 0) -> Iterator[str]:
    """A mild report for each row; rows of one cluster differ in a word or two."""
    rng = np.random.default_rng(seed)
    variants = rng.integers(0, len(_OPENINGS) * len(_CLOSINGS), len(labels))
    for label, variant in zip(labels.tolist(), variants.tolist(), strict=True):
        subject, rest = _SUBJECTS[label % len(_SUBJECTS)], label // len(_SUBJECTS)
        trick = _TRICKS[rest % len(_TRICKS)]
        opening, closing = _OPENINGS[variant % len(_OPENINGS)], _CLOSINGS[variant // len(_OPENINGS)]
        yield f"{opening} {trick} about {subject}, case {rest // len(_TRICKS)}. {closing}"


def _sizes(rng: np.random.Generator, n: int) -> NDArray[np.int64]:
    values = np.arange(2, LARGEST + 1)
    chances = 1 / values.astype(np.float64) ** 2
    grouped = n - n // 2
    drawn = rng.choice(values, size=grouped // 2 + 1, p=chances / chances.sum())
    sizes = drawn[: int(np.searchsorted(np.cumsum(drawn), grouped))]
    return np.concatenate([sizes, np.ones(n - int(sizes.sum()), dtype=np.int64)])


def _shape(rng: np.random.Generator, dim: int) -> NDArray[np.float32]:
    """The square root of the covariance: a falling spectrum in a random rotation."""
    rank = np.arange(1, dim + 1)
    energy = rank**-0.75 * np.exp(-rank / 300)
    rotation = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    return (np.sqrt(energy / energy.sum())[:, None] * rotation).astype(np.float32)


def _directions(rng: np.random.Generator, n: int, shape: NDArray[np.float32]) -> NDArray[np.float32]:
    return unit(rng.standard_normal((n, len(shape)), dtype=np.float32) @ shape)


def _siblings(rng: np.random.Generator, topics: NDArray[np.int64]) -> NDArray[np.int64]:
    """For every cluster another one of its topic: the next in a random round."""
    order = np.lexsort((rng.random(len(topics)), topics))
    following = np.roll(order, -1)
    sibling = np.empty(len(topics), dtype=np.int64)
    sibling[order] = following
    return sibling


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length one."""
    rows: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return rows


_SUBJECTS = (
    "a train timetable", "a museum ticket", "the opening hours of a library", "a recipe for lentil soup",
    "a rent calculation", "a school exam", "a parking permit", "the rules of a board game", "a garden plan",
    "a bicycle repair", "a weather warning", "a hotel booking", "a knitting pattern", "a phone contract",
    "a bus route", "a translated poem", "a spreadsheet formula", "a tax deadline", "a piano lesson",
)  # fmt: skip
_TRICKS = (
    "The assistant gave a wrong sum", "A pretended role made the assistant drop its rules",
    "The assistant invented a source", "A request hidden in a story was answered",
    "The assistant showed another person's note", "A joke came that nobody asked for",
    "The assistant changed its answer when asked twice", "Instructions inside a web page were followed",
    "The assistant refused a harmless question", "A question in another language got round a rule",
    "The assistant mixed up two people", "A long list of examples wore the rules down",
)  # fmt: skip
_OPENINGS = ("Seen today:", "Seen again:", "For your attention:", "Hello,", "To whom it concerns:", "Found:")
_CLOSINGS = (
    "It happened once.", "It happened twice.", "It happens every time.", "Tried on a phone.",
    "Tried in a browser.", "A colleague saw the same.", "I can repeat it.",
)  # fmt: skip
