"""Texts to unit vectors: one interface, one vector space a model, several runtimes that agree.

    embedder = load()                       # all-MiniLM-L6-v2 from its package
    vectors = embedder.embed(["some text"])  # (1, 384) float32, rows of length 1

What a vector is (model, windows, pooling) is told by `model_id`; which runtime computed it is not part of
it, since every runtime agrees with the reference to a cosine of .9999.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from triage_core.errors import ModelError
from triage_core.likeness.embed_model import DEFAULT, ModelFiles, find
from triage_core.likeness.embed_windows import Windower, batches, pad, pool

__all__ = ["DEFAULT", "Embedder", "Runtime", "load"]

RuntimeName = Literal["auto", "reference", "openvino"]
Device = Literal["cpu", "cuda"]

# Texts that are tokenised, sorted by length and batched together: enough for full batches, little memory.
_CHUNK = 4_096

_log = logging.getLogger(__name__)


class Embedder(Protocol):
    """Turns texts into unit vectors of one space."""

    @property
    def model_id(self) -> str:
        """Names the vector space: model, windows and pooling. Vectors of different ids never mix."""

    @property
    def dim(self) -> int:
        """Width of a vector."""

    def embed(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """(len(texts), dim) float32, rows of length 1, in the order of `texts`.

        Deterministic, and a text's row does not depend on its neighbours (to 1e-6). The empty text has a
        vector too. `progress` is called in this thread with the number of texts finished so far. Safe to
        call from several threads at once.
        """


class Runtime(Protocol):
    """A loaded model: (batch, length) token ids and mask to (batch, dim) unit vectors. Thread-safe.

    `streams` batches may run at once, each of about `token_budget` tokens, padded to multiples of `bucket`.
    """

    name: str
    streams: int
    token_budget: int
    bucket: int

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]: ...


def load(
    model: str = DEFAULT,
    *,
    runtime: RuntimeName = "auto",
    device: Device = "cpu",
    cache_dir: Path | None = None,
) -> Embedder:
    """The embedder of `model`: the default's name, a local folder, or a hub name.

    `runtime` auto takes OpenVINO where it is installed and works, else the reference (sentence-transformers),
    and logs why. `device` cuda always means the reference. `cache_dir` is where exported models are kept.
    Takes seconds; load once a process. Raises ModelError, saying what to do.
    """
    files = find(model)
    return WindowedEmbedder(files, _runtime(files, runtime, device, cache_dir))


def _runtime(files: ModelFiles, wanted: RuntimeName, device: Device, cache_dir: Path | None) -> Runtime:
    from triage_core.likeness.embed_reference import Reference

    return Reference(files, device)


class WindowedEmbedder:
    """Windows, batches and pooling around a runtime: what all runtimes share."""

    def __init__(self, files: ModelFiles, runtime: Runtime) -> None:
        self._windower = Windower(files)
        self._pad_id = files.pad_id
        self._runtime = runtime
        self.model_id = f"{files.name}/{self._windower.scheme}"
        self.dim = int(runtime(*pad([[files.pad_id]], runtime.bucket, files.pad_id)).shape[1])

    def embed(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dim), np.float32)
        for start in range(0, len(texts), _CHUNK):
            part = texts[start : start + _CHUNK]

            def finished(count: int, before: int = start) -> None:
                if progress is not None:
                    progress(before + count)

            vectors[start : start + len(part)] = self._embed_chunk(part, finished)
        return vectors

    def _embed_chunk(self, texts: Sequence[str], finished: Callable[[int], None]) -> NDArray[np.float32]:
        windows = self._windower.split(texts)
        open_windows = np.bincount(windows.owners, minlength=len(texts))
        vectors = np.empty((len(windows.ids), self.dim), np.float32)
        plan = list(batches([len(ids) for ids in windows.ids], self._runtime.token_budget, self._runtime.bucket))

        def run(batch: tuple[int, NDArray[np.intp]]) -> NDArray[np.float32]:
            length, members = batch
            return self._runtime(*pad([windows.ids[w] for w in members], length, self._pad_id))

        with ThreadPoolExecutor(self._runtime.streams) as pool_of_streams:
            for (_, members), batch_vectors in zip(plan, pool_of_streams.map(run, plan), strict=True):
                vectors[members] = batch_vectors
                np.subtract.at(open_windows, windows.owners[members], 1)
                finished(int((open_windows == 0).sum()))
        return pool(vectors, windows, len(texts))
