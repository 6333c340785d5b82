"""Which reports stand and fall together, and on which side of the train/test border each group is.

Reports that share text, are marked as duplicates, or are near duplicates form one group, and a group
is never divided. Its side is drawn once from a keyed hash of its oldest report and then remembered:
what has been test data stays test data, whatever comes in later.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Seqs = NDArray[np.int64]

TEST_SHARE = 0.1
# Not a secret: it keeps this draw apart from every other use of a hash. Nobody chooses a report's number.
SALT = b"flawdesk-split/1"
_KEYED = hmac.new(SALT, digestmod=hashlib.sha256)


class Split(StrEnum):
    TRAIN = "train"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Groups:
    """`oldest[seq]` is the smallest number in the group of report `seq`, `size[seq]` the group's size, and
    `earliest[seq]` the smallest number of a report with the same conversation.

    All arrays are indexed by the report's number; entry 0, which no report has, is unused.
    """

    oldest: Seqs
    size: Seqs
    earliest: Seqs


def group(earliest: Seqs, one: Seqs, other: Seqs) -> Groups:
    """The connected components of reports, where report `one[i]` belongs with `other[i]`, and each with the earliest
    of the same conversation.
    """
    later = np.flatnonzero(earliest != np.arange(len(earliest)))
    ends = np.concatenate([one, earliest[later]]), np.concatenate([other, later])
    links = coo_array((np.ones(len(ends[0]), np.bool_), ends), shape=(len(earliest), len(earliest)))
    count, labels = connected_components(links, directed=False)
    first = np.zeros(count, np.int64)
    first[labels[::-1]] = np.arange(len(earliest))[::-1]  # what is written last stays: the smallest number
    return Groups(first[labels], np.bincount(labels, minlength=count)[labels], earliest)


class Splits:
    """The side of every report, given the sides that were drawn for earlier datasets."""

    def __init__(self, groups: Groups, remembered: Mapping[Split, Seqs]) -> None:
        """`remembered`: the numbers of the reports that have been in a dataset, by their side.

        Where groups with different sides have grown together, the whole group is test data.
        """
        self.groups = groups
        self._was_train = _mask(groups, remembered.get(Split.TRAIN))
        self._was_test = _mask(groups, remembered.get(Split.TEST))
        self._has_train = _mask(groups, groups.oldest[self._was_train])
        self._has_test = _mask(groups, groups.oldest[self._was_test])
        self._drawn = np.zeros(len(groups.oldest), np.bool_)

    def undrawn(self, seqs: Seqs) -> Seqs:
        """The oldest reports of those groups of these reports that have no side yet."""
        undrawn = np.zeros(len(self.groups.oldest), np.bool_)
        undrawn[self.groups.oldest[seqs]] = True
        return np.flatnonzero(undrawn & ~(self._has_test | self._has_train))

    def draw(self, oldest: Seqs, oldest_ids: Sequence[str]) -> None:
        """Draw the side of groups without one, given number and id of the oldest report of each."""
        self._drawn[oldest] = drawn(oldest_ids)

    def test(self, seqs: Seqs) -> NDArray[np.bool_]:
        """(n,) whether each report is on the test side; the sides of their groups have been drawn."""
        oldest = self.groups.oldest[seqs]
        return self._has_test[oldest] | self._drawn[oldest]

    def is_remembered(self, seqs: Seqs) -> NDArray[np.bool_]:
        """(n,) whether each report has been in a dataset."""
        return self._was_train[seqs] | self._was_test[seqs]

    def was_train(self, seqs: Seqs) -> NDArray[np.bool_]:
        """(n,) whether each report has been training data."""
        return self._was_train[seqs]


def drawn(oldest_ids: Sequence[str]) -> NDArray[np.bool_]:
    """(n,) which of these groups fall on the test side, by the id of the oldest report of each; always the same.

    What decides is the first eight bytes of the keyed hash of the id.
    """
    digests = bytearray()
    for report_id in oldest_ids:
        one = _KEYED.copy()  # once keyed: a third quicker than to key each
        one.update(report_id.encode())
        digests += one.digest()
    return np.frombuffer(digests, ">u8")[:: _KEYED.digest_size // 8] < int(TEST_SHARE * 2**64)


def _mask(groups: Groups, chosen: Seqs | None) -> NDArray[np.bool_]:
    mask = np.zeros(len(groups.oldest), np.bool_)
    if chosen is not None:
        mask[chosen] = True
    return mask
