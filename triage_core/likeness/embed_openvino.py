"""The fast runtime on a processor: the model exported once to ONNX and run by OpenVINO.

Pooling and normalisation are inside the graph. bf16 is used where the processor computes in it natively
(AVX512_BF16 or AMX), since it then doubles the rate at a cosine of .9999 to single precision; elsewhere f32.
One stream of one thread a core: batches run side by side, none waits for another's slowest thread.
"""

from __future__ import annotations

import os
import queue
import tempfile
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from triage_core.errors import ModelError
from triage_core.likeness.embed_model import ModelFiles, sha256_of
from triage_core.likeness.embed_reference import open_model
from triage_core.likeness.embed_windows import pad

if TYPE_CHECKING:
    from openvino import InferRequest

Precision = Literal["native", "bf16", "f32"]

_OPSET = 17
_AGREEMENT = 0.9999


class OpenVino:
    """Runs the exported model; as many batches at once as there are cores.

    `precision` native takes bf16 where the processor has it, else f32. The first load of a model exports it
    into `cache_dir` (seconds, needs sentence-transformers and onnx); later loads read it from there.
    Raises ModelError when OpenVINO is missing or its result is not the reference's.
    """

    name = "openvino"
    # Small enough that a single question asked during bulk work waits about a tenth of a second.
    token_budget = 1_024
    bucket = 8
    on_cores = True

    def __init__(self, files: ModelFiles, cache_dir: Path, precision: Precision = "native") -> None:
        try:
            import openvino
        except ImportError as reason:
            raise ModelError(f"cannot import openvino ({reason}); run: pip install openvino onnx") from reason
        core = openvino.Core()
        if precision == "native":
            precision = "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        self.precision = precision
        self.streams = _cores()
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": self.streams,
            "INFERENCE_NUM_THREADS": self.streams,
            "ENABLE_CPU_PINNING": False,
        }
        path = exported(files, cache_dir)
        try:
            compiled = core.compile_model(str(path), "CPU", settings)
        except RuntimeError as reason:
            raise ModelError(f"OpenVINO cannot load {path}: {reason}; delete the file") from reason
        # A request serves one thread at a time, and the threads take turns.
        self._idle: queue.SimpleQueue[InferRequest] = queue.SimpleQueue()
        for _ in range(self.streams):
            self._idle.put(compiled.create_infer_request())

    def __call__(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        request = self._idle.get()
        try:
            vectors: NDArray[np.float32] = request.infer([ids, mask])[0]
        finally:
            self._idle.put(request)
        return vectors


def exported(files: ModelFiles, cache_dir: Path) -> Path:
    """The model as one ONNX file in `cache_dir`, exported now unless it is there intact.

    Its name carries the weights' hash and the versions of the exporter, and a digest lies beside it, so that
    neither changed weights nor a damaged file is ever used.
    """
    try:
        tools = "-".join(version(name) for name in ("torch", "transformers", "sentence-transformers", "onnx"))
    except PackageNotFoundError as missing:
        raise ModelError(f"exporting {files.name} needs {missing}; run: pip install {missing}") from missing
    path = cache_dir / f"{files.sha256[:16]}-{tools}.onnx"
    digest = path.with_suffix(".sha256")
    if path.is_file() and digest.is_file() and digest.read_text(encoding="ascii") == sha256_of(path):
        return path
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_dir) as folder:
            fresh = Path(folder) / path.name
            _export(files, fresh)
            note = fresh.with_suffix(".sha256")
            note.write_text(sha256_of(fresh), encoding="ascii")
            fresh.replace(path)
            note.replace(digest)
    except OSError as reason:
        raise ModelError(f"cannot keep the exported model in {cache_dir}: {reason}; name another") from reason
    return path


def _export(files: ModelFiles, path: Path) -> None:
    import openvino
    import torch

    class Flat(torch.nn.Module):  # type: ignore[misc]  # torch is not read for its types
        """The model with tensors for arguments, as the exporter wants them."""

        def __init__(self) -> None:
            super().__init__()
            # OpenVINO fuses the plain attention into one kernel; torch's own fused form it leaves in pieces.
            self.model = open_model(files, "cpu", attention="eager")

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            out = self.model({"input_ids": input_ids, "attention_mask": attention_mask})
            vectors: torch.Tensor = out["sentence_embedding"]
            return vectors

    flat = Flat().eval()
    example = pad([[5] * 11, [6] * 16], 16, files.pad_id)
    # Another shape than the example's: a size that the trace froze shows here.
    probe = pad([[7] * 3, [8] * 17, list(range(1, 24))], 24, files.pad_id)
    names = ["input_ids", "attention_mask"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter announces its successor, which is no use offline
            torch.onnx.export(
                flat,
                tuple(torch.from_numpy(array) for array in example),
                str(path),
                dynamo=False,
                opset_version=_OPSET,
                input_names=names,
                output_names=["vectors"],
                dynamic_axes={name: {0: "batch", 1: "length"} for name in names} | {"vectors": {0: "batch"}},
            )
        with torch.inference_mode():
            expected = flat(*(torch.from_numpy(array) for array in probe)).numpy()
        single = openvino.Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        cosine = float((single(list(probe))[0] * expected).sum(axis=1).min())
    except Exception as reason:  # exporter and runtime raise many types for a graph they do not know
        raise ModelError(f"model {files.name}: no export ({reason}); use runtime reference") from reason
    if not cosine >= _AGREEMENT:
        raise ModelError(f"model {files.name}: export has cosine {cosine:.5f}; use runtime reference")


def _cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
