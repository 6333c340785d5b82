"""The reference runtime: sentence-transformers on the processor or on a GPU, in single precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from triage_core.errors import ModelError
from triage_core.likeness.embed_model import ModelFiles

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Device = Literal["cpu", "cuda"]
Attention = Literal["sdpa", "eager"]


class Reference:
    """Runs a model's own modules (transformer, pooling, normalisation) on one padded batch at a time.

    Raises ModelError when the model cannot be loaded or the device is not there.
    """

    name = "reference"
    streams = 1
    bucket = 8

    def __init__(self, files: ModelFiles, device: Device = "cpu") -> None:
        self._model = open_model(files, device)
        self._device = device
        self.on_cores = device == "cpu"
        self.token_budget = 4_096 if self.on_cores else 131_072

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        import torch

        features = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        with torch.inference_mode():
            out = self._model({key: value.to(self._device) for key, value in features.items()})
            vectors: NDArray[np.float32] = out["sentence_embedding"].float().cpu().numpy()
        return vectors


def open_model(files: ModelFiles, device: Device, attention: Attention = "sdpa") -> SentenceTransformer:
    """The model as sentence-transformers loads it, ready to infer. Raises ModelError."""
    try:
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging
    except ImportError as reason:
        raise ModelError(f"cannot import {reason.name}; run: pip install -r requirements.txt") from reason
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("device cuda: torch finds no CUDA device; use cpu, or a torch built for CUDA")
    logging.disable_progress_bar()  # one for reading a file hides ours
    try:
        model: SentenceTransformer = SentenceTransformer(
            str(files.folder),
            device=device,
            local_files_only=True,
            model_kwargs={"attn_implementation": attention},
        ).eval()
        return model
    except Exception as reason:  # the loader raises whatever its parts raise
        raise ModelError(f"model {files.name} in {files.folder}: {reason}; reinstall it") from reason
