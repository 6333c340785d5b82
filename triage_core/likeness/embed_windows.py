"""Texts to windows of tokens, windows to batches, window vectors to one vector a text.

A model reads at most `max_tokens` (256). A longer text is cut into windows of that size which overlap by
`OVERLAP` tokens, so that no phrase is seen only in halves. The text's vector is the mean of its windows'
vectors, each weighted by the number of tokens that it is the first to show, normalised to length 1. A text
that grows past the limit by a word therefore moves by a word's weight, and the last window counts as much
as its share of the text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from triage_core.errors import ModelError
from triage_core.likeness.embed_model import ModelFiles

OVERLAP = 32
_LONG_TEXT = "tea moon " * 1_000


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of some texts, equal ones kept once (reports that share a long beginning share windows).

    `distinct[i]` are the token ids of one window. Occurrence j of a window, in the order of the texts, is
    `distinct[which[j]]`, belongs to text `owners[j]` and is the first to show `weights[j]` of its tokens.
    """

    distinct: list[list[int]]
    which: NDArray[np.intp]
    owners: NDArray[np.intp]
    weights: NDArray[np.float32]


class Windower:
    """Cuts texts into overlapping windows of at most `files.max_tokens` tokens, special tokens included.

    `on_all_cores` is for a model that does not need them; where the environment says TOKENIZERS_PARALLELISM,
    that holds. Raises ModelError where the tokenizer cannot be read or does not give every window.
    """

    def __init__(self, files: ModelFiles, on_all_cores: bool = False) -> None:
        # The tokenizer's own threads would take the cores from the model, and warn at every later fork.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "true" if on_all_cores else "false")
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(files.folder / "tokenizer.json"))
        except Exception as reason:  # the parser raises the bare base class
            raise ModelError(f"model {files.name}: tokenizer.json: {reason}; reinstall it") from reason
        self._overlap = min(OVERLAP, files.max_tokens // 4)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        whole = len(tokenizer.encode(_LONG_TEXT, add_special_tokens=False).ids)
        self._special = tokenizer.num_special_tokens_to_add(is_pair=False)
        tokenizer.enable_truncation(max_length=files.max_tokens, stride=self._overlap)
        self._tokenizer = tokenizer
        self.scheme = f"w{files.max_tokens}o{self._overlap}-mean"
        # With tokenizers 0.23.2 long texts lost their ends.
        if self.split([_LONG_TEXT]).weights.sum() != whole:
            raise ModelError(
                f"tokenizers {version('tokenizers')} leaves out windows of long texts; "
                "install the version in requirements.txt"
            )

    def split(self, texts: Sequence[str]) -> Windows:
        """All windows of `texts`; every text has at least one, the empty one too."""
        seen: dict[tuple[int, ...], int] = {}
        which: list[int] = []
        owners: list[int] = []
        weights: list[int] = []
        for owner, encoding in enumerate(self._tokenizer.encode_batch_fast(list(texts))):
            repeated = self._special
            for window in (encoding, *encoding.overflowing):
                ids = tuple(window.ids)
                which.append(seen.setdefault(ids, len(seen)))
                owners.append(owner)
                weights.append(max(len(ids) - repeated, 1))
                repeated = self._special + self._overlap
        return Windows(
            [list(ids) for ids in seen],
            np.asarray(which, np.intp),
            np.asarray(owners, np.intp),
            np.asarray(weights, np.float32),
        )


def batches(lengths: Sequence[int], token_budget: int, bucket: int) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """(padded length, indices) of batches of at most `token_budget` tokens, longest first.

    A window is padded to the next multiple of `bucket`, whatever it is batched with: its vector does not
    depend on its neighbours, and a runtime meets few different shapes.
    """
    padded = -(-np.asarray(lengths, np.intp) // bucket) * bucket
    for length in np.unique(padded)[::-1]:
        members = np.flatnonzero(padded == length)
        rows = max(token_budget // int(length), 1)
        for start in range(0, len(members), rows):
            yield int(length), members[start : start + rows]


def pad(
    ids: Sequence[Sequence[int]], length: int, pad_id: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(ids, mask), both (len(ids), length)."""
    padded = np.full((len(ids), length), pad_id, np.int64)
    mask = np.zeros((len(ids), length), np.int64)
    for row, window in enumerate(ids):
        padded[row, : len(window)] = window
        mask[row, : len(window)] = 1
    return padded, mask


def pool(vectors: NDArray[np.float32], windows: Windows, texts: int) -> NDArray[np.float32]:
    """One unit vector a text, (texts, dim), from one a distinct window, (len(windows.distinct), dim)."""
    sums = np.zeros((texts, vectors.shape[1]), np.float32)
    np.add.at(sums, windows.owners, vectors[windows.which] * windows.weights[:, None])
    norms = np.linalg.norm(sums, axis=1, keepdims=True)
    unit: NDArray[np.float32] = sums / np.maximum(norms, np.finfo(np.float32).tiny)
    return unit
