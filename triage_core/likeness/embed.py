"""Texts to unit vectors: one interface, one vector space a model, several runtimes that agree.

    embedder = load()                       # all-MiniLM-L6-v2 from its package
    vectors = embedder.embed(["some text"])  # (1, 384) float32, rows of length 1

What a vector is (model, windows, pooling) is told by `model_id`; which runtime computed it is not part of
it, since every runtime agrees with the reference to a cosine of .9999.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from triage_core.errors import ModelError
from triage_core.likeness.embed_model import DEFAULT, ModelFiles, find
from triage_core.likeness.embed_openvino import OpenVino
from triage_core.likeness.embed_reference import Device, Reference
from triage_core.likeness.embed_windows import Windower, Windows, batches, pad, pool

__all__ = ["DEFAULT", "Embedder", "Runtime", "load"]

RuntimeName = Literal["auto", "reference", "openvino"]

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
    `on_cores` says that it computes on the processor's cores.
    """

    name: str
    streams: int
    token_budget: int
    bucket: int
    on_cores: bool

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]: ...


def load(
    model: str = DEFAULT,
    *,
    runtime: RuntimeName = "auto",
    device: Device = "cpu",
    cache_dir: Path | None = None,
) -> Embedder:
    """The embedder of `model`: the default's name, a local folder, or a hub name.

    `runtime` auto takes OpenVINO where it is installed and works, else the reference (sentence-transformers)
    with the reason logged. `device` cuda always means the reference. Exported models are kept in
    `cache_dir`, by default under the user's cache. Takes seconds; load once a process.
    Raises ModelError, saying what to do.
    """
    files = find(model)
    return WindowedEmbedder(files, _runtime(files, runtime, device, cache_dir or _user_cache()))


def _runtime(files: ModelFiles, wanted: RuntimeName, device: Device, cache_dir: Path) -> Runtime:
    if wanted == "openvino" and device != "cpu":
        raise ModelError("runtime openvino runs on device cpu only; use runtime reference for cuda")
    if wanted != "reference" and device == "cpu":
        try:
            return OpenVino(files, cache_dir)
        except ModelError as reason:
            if wanted == "openvino":
                raise
            _log.warning("embedding with sentence-transformers, about a third as fast: %s", reason)
    return Reference(files, device)


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flawdesk" / "models"


class WindowedEmbedder:
    """Windows, batches and pooling around a runtime: what all runtimes share."""

    def __init__(self, files: ModelFiles, runtime: Runtime) -> None:
        # A GPU would wait most of the time for one core that splits texts into tokens.
        self._windower = Windower(files, on_all_cores=not runtime.on_cores)
        self._pad_id = files.pad_id
        self.runtime = runtime
        self.model_id = f"{files.name}/{self._windower.scheme}"
        self.dim = int(runtime(*pad([[files.pad_id]], runtime.bucket, files.pad_id)).shape[1])

    def embed(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dim), np.float32)
        for start in range(0, len(texts), _CHUNK):
            part = texts[start : start + _CHUNK]
            windows = self._windower.split(part)
            for finished in self._fill(windows, vectors[start : start + len(part)]):
                if progress is not None:
                    progress(start + finished)
        return vectors

    def _fill(self, windows: Windows, vectors: NDArray[np.float32]) -> Iterator[int]:
        """Writes one row a text into `vectors`; yields the number of finished texts after every batch."""
        of_windows = np.empty((len(windows.distinct), self.dim), np.float32)
        open_windows = np.ones(len(windows.distinct), np.bool_)
        lengths = [len(ids) for ids in windows.distinct]
        # Of little work each stream gets its share: one long text is not left to one of them.
        budget = min(self.runtime.token_budget, -(-sum(lengths) // self.runtime.streams))
        plan = list(batches(lengths, budget, self.runtime.bucket))

        def run(batch: tuple[int, NDArray[np.intp]]) -> NDArray[np.float32]:
            length, members = batch
            return self.runtime(*pad([windows.distinct[w] for w in members], length, self._pad_id))

        streams = ThreadPoolExecutor(self.runtime.streams)
        try:
            for (_, members), result in zip(plan, streams.map(run, plan), strict=True):
                of_windows[members] = result
                open_windows[members] = False
                unfinished = np.unique(windows.owners[open_windows[windows.which]])
                yield len(vectors) - len(unfinished)
        finally:  # whoever interrupts the work does not wait for the batches that have not begun
            streams.shutdown(cancel_futures=True)
        vectors[:] = pool(of_windows, windows, len(vectors))
