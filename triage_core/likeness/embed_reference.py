"""The reference runtime: sentence-transformers on the processor or on a GPU, in single precision."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from triage_core.errors import ModelError
from triage_core.likeness.embed_model import ModelFiles

Device = Literal["cpu", "cuda"]


class Reference:
    """Runs a model's own modules (transformer, pooling, normalisation) on one padded batch at a time."""

    name = "reference"
    streams = 1
    bucket = 8

    def __init__(self, files: ModelFiles, device: Device = "cpu") -> None:
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError as reason:
            raise ModelError(f"sentence-transformers cannot be imported ({reason}); run: make install") from reason
        if device == "cuda" and not torch.cuda.is_available():
            raise ModelError("device cuda: torch sees no CUDA device; use device cpu or install torch with CUDA")
        try:
            self._model = SentenceTransformer(str(files.folder), device=device, local_files_only=True).eval()
        except Exception as reason:  # the loader raises whatever its parts raise
            raise ModelError(f"model {files.name} cannot be loaded from {files.folder}: {reason}; reinstall it") from reason
        self._device = device
        self.token_budget = 4_096 if device == "cpu" else 131_072

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        import torch

        features = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
        with torch.inference_mode():
            out = self._model({key: value.to(self._device) for key, value in features.items()})
            vectors: NDArray[np.float32] = out["sentence_embedding"].float().cpu().numpy()
        return vectors
